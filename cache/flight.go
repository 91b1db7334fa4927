package cache

import "context"

// flight is a fetch under way that any number of callers wait for.
type flight struct {
	done   chan struct{}
	result any // an Entry[V], once done
	err    error
}

// flightID is what callers must have in common to share a flight. A Refresh
// does not join a Get: that one may have begun before what it wants to see.
type flightID struct {
	id
	kind flightKind
}

type flightKind uint8

const (
	getting flightKind = iota
	refreshing
)

// share runs fetch once for all callers of the same key and kind. It goes on
// without them, for as long as the policy lets a load take.
func (c *Cache[V]) share(ctx context.Context, key string, kind flightKind, fetch func(context.Context) (Entry[V], error)) (Entry[V], error) {
	if err := ctx.Err(); err != nil {
		return Entry[V]{}, err
	}
	which := flightID{id{c.name, key}, kind}
	c.b.mu.Lock()
	f, under := c.b.flights[which]
	if !under {
		f = &flight{done: make(chan struct{})}
		c.b.flights[which] = f
		go c.fly(context.WithoutCancel(ctx), which, f, fetch)
	}
	c.b.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return Entry[V]{}, ctx.Err()
	}
	e, _ := f.result.(Entry[V])
	return e, f.err
}

func (c *Cache[V]) fly(ctx context.Context, which flightID, f *flight, fetch func(context.Context) (Entry[V], error)) {
	ctx, cancel := context.WithTimeout(ctx, c.policy.LoadTimeout)
	defer cancel()
	e, err := fetch(ctx)
	f.result, f.err = e, err
	c.b.mu.Lock()
	delete(c.b.flights, which)
	c.b.mu.Unlock()
	close(f.done)
}
