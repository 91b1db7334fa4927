package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Source says where a value came from.
type Source uint8

// The sources of a value.
const (
	Memory Source = iota + 1 // this process
	Redis                    // what this or another process stored there
	Loaded                   // the load function, now
)

// String is "memory", "redis" or "source".
func (s Source) String() string {
	switch s {
	case Memory:
		return "memory"
	case Redis:
		return "redis"
	case Loaded:
		return "source"
	}
	return fmt.Sprintf("Source(%d)", uint8(s))
}

// Entry is a value and what is known about it.
type Entry[V any] struct {
	Value    V // shared between callers: not to be changed
	LoadedAt time.Time
	Source   Source
	Stale    bool  // it stands in: loading failed
	Err      error // why it is stale; nil otherwise
}

// Load gets a value from where it really is. Its context carries the values of
// the first caller's, not its cancellation, and ends after Policy.LoadTimeout.
// An error that is [ErrNotFound] is an answer: nothing stands in for it.
type Load[V any] func(ctx context.Context) (V, error)

var (
	// ErrNotFound is what a load answers, wrapped or not, where there is no such
	// thing; Get returns it, and Policy.Missing remembers it.
	ErrNotFound = errors.New("cache: there is no such thing")
	// ErrPanic is what callers get when a load panicked or ended its goroutine, or
	// the codec or Policy.Until did; its text has the type of what it panicked
	// with, not the value.
	ErrPanic = errors.New("cache: the load panicked")
	// ErrDeaf is what [Backend.Ping] finds where Redis is well and does not let
	// itself be listened to: no copy in memory is then served before Redis was asked
	// about it.
	ErrDeaf = errors.New("cache: the messages of other processes do not arrive")
	// ErrAway is why an invalidation did not reach Redis, which was found away less
	// than a moment ago.
	ErrAway = errors.New("cache: Redis is away")
)

var errEnded = fmt.Errorf("%w: it ended its goroutine", ErrPanic)

// guarded turns a panic of the load function into an error, and so what ends its
// goroutine, as t.Fatal does.
func guarded[V any](ctx context.Context, load Load[V]) (V, error) {
	type result struct {
		v   V
		err error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errEnded}
		defer func() {
			if v := recover(); v != nil {
				r.err = fmt.Errorf("%w: %T", ErrPanic, v)
			}
			done <- r
		}()
		r.v, r.err = load(ctx)
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(pause) // one that heeds ctx says better what it waited for
	defer late.Stop()
	select {
	case r := <-done:
		return r.v, r.err
	case <-late.C:
		var none V
		return none, fmt.Errorf("cache: the load does not end: %w", ctx.Err())
	}
}
