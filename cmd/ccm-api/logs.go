package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// levelCritical is Python's CRITICAL, for what ends the process.
const levelCritical = slog.Level(12)

// The keys that every line has.
const (
	keyTime  = "timestamp_utc"
	keyLevel = "nivel"
	keyText  = "mensaje"
	keyStage = "etapa"
)

// stageService is the "etapa" of what the process itself does.
const stageService = "servicio"

// stamp is UTC with milliseconds.
const stamp = "2006-01-02T15:04:05.000Z"

// newLogger writes one JSON object a line, with the keys of the contract, to w.
// What the secrets are is said for the last defence: see redactor.
func newLogger(w io.Writer, level slog.Level, secrets []string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(newRedactor(w, secrets), &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return attr
			}
			switch attr.Key {
			case slog.TimeKey:
				return slog.String(keyTime, attr.Value.Time().UTC().Format(stamp))
			case slog.LevelKey:
				return slog.String(keyLevel, levelName(attr.Value.Any().(slog.Level)))
			case slog.MessageKey:
				return slog.Attr{Key: keyText, Value: attr.Value}
			}
			return attr
		},
	}))
}

func levelName(level slog.Level) string {
	switch {
	case level >= levelCritical:
		return "CRITICAL"
	case level >= slog.LevelError:
		return "ERROR"
	case level >= slog.LevelWarn:
		return "WARNING"
	case level >= slog.LevelInfo:
		return "INFO"
	}
	return "DEBUG"
}

// toolLogger is the log of a command that is no service: none unless asked for.
func (a *app) toolLogger() *slog.Logger {
	if !a.verbose {
		redis.SetLogger(silence{})
		return slog.New(slog.DiscardHandler)
	}
	logger := newLogger(a.err, slog.LevelDebug, a.secrets())
	redis.SetLogger(redisLogger{logger})
	return logger
}

// secrets are the values of the settings that nobody may see. Those in files
// are read like any other; what cannot be read is no secret either.
func (a *app) secrets() []string {
	return secretValues(a.lookup)
}

// redisLogger turns what go-redis says of its connections into lines of ours.
type redisLogger struct{ *slog.Logger }

// Printf logs at DEBUG: that Redis is away, the cache says itself.
func (l redisLogger) Printf(ctx context.Context, format string, args ...any) {
	l.DebugContext(ctx, "conexión con Redis", keyStage, "cache", "reason", fmt.Sprintf(format, args...))
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// httpErrors turns what net/http says of broken connections into lines of ours.
type httpErrors struct{ *slog.Logger }

// Write logs one message of net/http.
func (l httpErrors) Write(line []byte) (int, error) {
	l.Warn("aviso del servidor HTTP", keyStage, "http", "reason", strings.TrimSpace(string(line)))
	return len(line), nil
}

// sinceStart is how long the process has run, in milliseconds.
func sinceStart() float64 { return milliseconds(time.Since(started)) }

// milliseconds is d with microsecond precision.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
