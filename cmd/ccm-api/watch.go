package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
)

// stageWatch is the "etapa" of what changed while the service runs.
const stageWatch = "vigilancia"

const (
	watchPause   = 10 * time.Second
	watchTimeout = 3 * time.Second
)

// watched is a dependency whose going and coming back the log tells, also while
// nobody asks for anything.
type watched struct {
	ask  func(context.Context) error
	away func(error) string // what is said
	back string

	since time.Time // when it went; zero: it is there
}

// watchedOf are the servers that the client keeps connections to. Telegram is
// none: it is asked when there is something to send.
func watchedOf(c *ccm.Client, j *delivery.Journal) []*watched {
	all := []*watched{{ask: c.Cache().Ping, away: redisAway, back: "Redis responde de nuevo"}}
	if s := c.Store(); s != nil {
		all = append(all, &watched{ask: s.Ping, away: always("la base de datos no responde: se sirven los datos guardados, marcados"), back: "la base de datos responde de nuevo"})
	}
	if j != nil {
		all = append(all, &watched{ask: j.Ping, away: always("el diario de envíos no responde: las alertas salen sin él y los reportes esperan"), back: "el diario de envíos responde de nuevo"})
	}
	return all
}

func always(text string) func(error) string { return func(error) string { return text } }

func redisAway(err error) string {
	if errors.Is(err, cache.ErrDeaf) {
		return redisDeaf
	}
	return "Redis falla: atiende la memoria de este proceso"
}

// watch asks at each tick until ctx ends. What is away at the first look is not
// told: examineAtStart does.
func watch(ctx context.Context, log *slog.Logger, all []*watched, tick <-chan time.Time) {
	for _, w := range all {
		w.look(ctx, slog.New(slog.DiscardHandler))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		for _, w := range all {
			w.look(ctx, log)
		}
	}
}

// look asks once, and logs what changed.
func (w *watched) look(ctx context.Context, log *slog.Logger) {
	bounded, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	err := w.ask(bounded)
	switch {
	case ctx.Err() != nil: // the service ends
	case err != nil && w.since.IsZero():
		w.since = time.Now()
		log.WarnContext(ctx, w.away(err), keyStage, stageWatch, "reason", err.Error())
	case err == nil && !w.since.IsZero():
		log.InfoContext(ctx, w.back, keyStage, stageWatch, "duration_ms", milliseconds(time.Since(w.since)))
		w.since = time.Time{}
	}
}
