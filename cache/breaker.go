package cache

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// pause is how long a Redis that failed is left alone, before it is tried in the
// background, again and again.
const pause = time.Second

// invalidation is of a name, or of one of its keys and those below.
type invalidation struct {
	name, key string
	life      time.Duration // of the key's generation
}

// breaker keeps callers from a Redis that is away. It also remembers what Redis
// was not told, and opens for them only once it was: until then nothing that
// Redis has can be believed.
type breaker struct {
	try    func(owed []invalidation) error // Redis answers, and was told
	closes func()                          // called before it is asked again
	done   <-chan struct{}

	open atomic.Bool

	mu      sync.Mutex
	trying  bool
	owes    uint64                  // how often anything was owed
	pending map[invalidation]uint64 // what is owed, and since when
}

// allows reports whether Redis may be asked.
func (b *breaker) allows() bool { return !b.open.Load() }

// check waits until Redis is asked again, or ctx ends.
func (b *breaker) check(ctx context.Context) error {
	if until(ctx, b.allows) {
		return nil
	}
	return ErrAway
}

// trip keeps callers from Redis until it answers again.
func (b *breaker) trip() {
	if b.open.CompareAndSwap(false, true) {
		go b.mend()
	}
}

// owe remembers what Redis was not told.
func (b *breaker) owe(all []invalidation) {
	b.mu.Lock()
	b.owes++
	for _, v := range all {
		b.pending[v] = b.owes
	}
	b.tidy()
	b.mu.Unlock()
	b.trip()
}

// mostPending is how many keys are remembered; more become their whole names.
const mostPending = 10_000

func (b *breaker) tidy() {
	if len(b.pending) <= mostPending {
		return
	}
	names := map[invalidation]uint64{}
	for v := range b.pending {
		names[invalidation{name: v.name}] = b.owes
	}
	b.pending = names
}

// mend tries Redis after each pause, until it answers and was told everything.
func (b *breaker) mend() {
	for {
		select {
		case <-b.done:
			return
		case <-time.After(pause):
		}
		if b.tryOnce() {
			return
		}
	}
}

func (b *breaker) tryOnce() bool {
	b.mu.Lock()
	b.trying = true
	owed := maps.Clone(b.pending)
	b.mu.Unlock()
	err := b.try(slices.Collect(maps.Keys(owed)))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if err != nil {
		return false
	}
	for v, since := range owed {
		if b.pending[v] == since {
			delete(b.pending, v)
		}
	}
	if len(b.pending) > 0 { // owed while it was told the rest
		return false
	}
	b.closes()
	b.open.Store(false)
	return true
}

// state is what Stats says.
func (b *breaker) state() (Breaker, int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open.Load():
		return BreakerClosed, int64(len(b.pending))
	case b.trying:
		return BreakerHalfOpen, int64(len(b.pending))
	}
	return BreakerOpen, int64(len(b.pending))
}
