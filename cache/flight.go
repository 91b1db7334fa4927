package cache

import (
	"context"
	"fmt"
)

// flight is a fetch under way that any number of callers wait for.
type flight struct {
	id             flightID
	shelf          *shelf
	done           chan struct{}
	result         any // an Entry[V], once done
	err            error
	dirty, dropped bool // since it began, its key was replaced or invalidated; under Backend.mu
}

// flightID is what callers must have in common to share a flight. A Refresh
// does not join a Get: that one may have begun before what it wants to see.
type flightID struct {
	key  string
	kind flightKind
}

type flightKind uint8

const (
	getting flightKind = iota
	refreshing
	ahead // in the background, with nobody waiting
)

// fetch gets an entry for all callers of a flight.
type fetch[V any] func(ctx context.Context, f *flight) (Entry[V], error)

// share runs fetch once for all callers of the same key and kind. It goes on
// without them, for as long as the policy lets a load take.
func (c *Cache[V]) share(ctx context.Context, key string, kind flightKind, get fetch[V]) (Entry[V], error) {
	if err := c.checkKey(key); err != nil {
		return Entry[V]{}, err
	}
	if err := ctx.Err(); err != nil {
		return Entry[V]{}, err
	}
	f, _ := c.join(ctx, key, kind, get)
	select {
	case <-f.done:
	case <-ctx.Done():
		return Entry[V]{}, ctx.Err()
	}
	e, _ := f.result.(Entry[V])
	return e, f.err
}

// join finds the flight, or begins it.
func (c *Cache[V]) join(ctx context.Context, key string, kind flightKind, get fetch[V]) (f *flight, began bool) {
	which := flightID{key, kind}
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	f, under := c.shelf.flights[which]
	if !under {
		f = &flight{id: which, shelf: c.shelf, done: make(chan struct{})}
		c.shelf.flights[which] = f
		go c.fly(context.WithoutCancel(ctx), f, get)
	}
	return f, !under
}

// fly ends the flight whatever happens: what is not the load function can panic too.
func (c *Cache[V]) fly(ctx context.Context, f *flight, get fetch[V]) {
	ctx, cancel := context.WithTimeout(ctx, c.policy.LoadTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			f.err = fmt.Errorf("%w: %T", ErrPanic, r)
		}
		c.b.mu.Lock()
		if c.shelf.flights[f.id] == f {
			delete(c.shelf.flights, f.id)
		}
		c.b.mu.Unlock()
		close(f.done)
	}()
	f.err = errEnded
	f.result, f.err = get(ctx, f)
}
