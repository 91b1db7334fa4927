package ccm

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

type messageIDKey struct{}

// WithMessageID gives the correlation id of a request to whatever is called
// with the context: it is in each log line, in [Meta] and in the journal. A call
// whose context has none makes one.
func WithMessageID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, messageIDKey{}, id)
}

// MessageID returns the id that [WithMessageID] gave to ctx; "" if none.
func MessageID(ctx context.Context) string {
	id, _ := ctx.Value(messageIDKey{}).(string)
	return id
}

func ensureMessageID(ctx context.Context) context.Context {
	if MessageID(ctx) != "" {
		return ctx
	}
	return WithMessageID(ctx, rand.Text())
}

// Timings is where the time of one request went; a part that did not happen
// stays zero. Calls at the same time add up to more than the clock shows.
type Timings struct{ DB, Cache, Telegram, Journal time.Duration }

type timingsKey struct{}

type stopwatch struct {
	mu sync.Mutex
	to *Timings
}

// WithTimings makes every call with the context add its times to t. Read t when
// those calls have returned.
func WithTimings(ctx context.Context, t *Timings) context.Context {
	return context.WithValue(ctx, timingsKey{}, &stopwatch{to: t})
}

// addTimings adds to the Timings of ctx, if it has any.
func addTimings(ctx context.Context, t Timings) {
	w, ok := ctx.Value(timingsKey{}).(*stopwatch)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to.DB += t.DB
	w.to.Cache += t.Cache
	w.to.Telegram += t.Telegram
	w.to.Journal += t.Journal
}
