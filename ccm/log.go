package ccm

import (
	"context"
	"log/slog"
	"time"
)

// Values of "etapa": at which step of a request a line was written.
const (
	stageDatabase = "base_de_datos"
	stageCache    = "cache"
	stageData     = "datos"
	stageTelegram = "telegram"
	stageJournal  = "diario"
)

// log writes one line with the keys that every line has.
func (c *Client) log(ctx context.Context, level slog.Level, stage, message string, attrs ...slog.Attr) {
	if !c.cfg.Logger.Enabled(ctx, level) {
		return
	}
	all := make([]slog.Attr, 0, len(attrs)+2)
	all = append(all, slog.String("etapa", stage))
	if id := MessageID(ctx); id != "" {
		all = append(all, slog.String("message_id", id))
	}
	c.cfg.Logger.LogAttrs(ctx, level, message, append(all, attrs...)...)
}

func durationAttr(d time.Duration) slog.Attr { return slog.Float64("duration_ms", milliseconds(d)) }

// reasonAttr is the cause of a failure; no error of ours holds a secret.
func reasonAttr(err error) slog.Attr { return slog.String("reason", err.Error()) }

func codeAttr(err error) slog.Attr { return slog.String("error_code", string(CodeOf(err))) }

// milliseconds is d with microsecond precision.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
