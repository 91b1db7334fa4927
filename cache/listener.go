package cache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// listener hears what other processes make of values that may be in memory. The
// channels of go-redis do not: a subscription that Redis refused once is not asked
// for again, and nothing tells.
type listener struct {
	client  redis.UniversalClient
	channel string
	self    string          // whose messages are not for us
	changed func(m message) // what another told
	suspect func()          // messages may have been missed
	once    sync.Once
	hears   atomic.Bool

	mu  sync.Mutex
	why error // it does not hear; nil: it has not begun
}

const (
	// silence is how long Redis may say nothing before it is asked whether it is
	// there.
	silence = 3 * time.Second
	// interruption is about how long it is left alone when it ended a subscription;
	// twice as long each time that it gives none, up to pause.
	interruption = 50 * time.Millisecond
)

// start listens until ctx ends; again it does nothing.
func (l *listener) start(ctx context.Context) {
	l.once.Do(func() { go l.run(ctx) })
}

func (l *listener) run(ctx context.Context) {
	for d := interruption; ; d = min(2*d, pause) {
		err := l.listen(ctx)
		l.mu.Lock()
		l.why = err
		l.mu.Unlock()
		if l.hears.Swap(false) {
			l.suspect()
			d = interruption
		}
		if !wait(ctx, d) {
			return
		}
	}
}

// listen subscribes and heeds what comes, until that ends. The subscription comes
// after a time of which nothing is known.
func (l *listener) listen(ctx context.Context) error {
	sub := l.client.Subscribe(ctx, l.channel)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { sub.Close() })()
	for asked := false; ; {
		news, err := sub.ReceiveTimeout(ctx, silence)
		late, _ := errors.AsType[net.Error](err)
		switch {
		case err == nil:
			asked = false
			l.heed(news)
		case asked || late == nil || !late.Timeout():
			return err
		default:
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
		}
	}
}

func (l *listener) heed(news any) {
	switch news := news.(type) {
	case *redis.Subscription:
		l.suspect()
		l.hears.Store(true)
	case *redis.Message:
		if m, ok := parseMessage(news.Payload); ok && m.from != l.self {
			l.changed(m)
		}
	}
}

// check waits until it hears, or ctx ends; the error says why it does not.
func (l *listener) check(ctx context.Context) error {
	if until(ctx, l.hears.Load) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		return ErrDeaf
	}
	return fmt.Errorf("%w: %w", ErrDeaf, l.why)
}

// trust is how long a copy in memory counts that would for d: not at all, while it
// would not be heard that it no longer does.
func (l *listener) trust(d time.Duration) time.Duration {
	if l.hears.Load() {
		return d
	}
	return 0
}
