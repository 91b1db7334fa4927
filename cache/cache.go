package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Cache holds values of one type under one name. It is safe for concurrent use.
type Cache[V any] struct {
	b      *Backend
	name   string
	shelf  *shelf
	policy Policy
	err    error // a name or a policy that cannot work: every Get answers it
}

// Limits of keys.
const (
	MaxKey    = 1024 // bytes
	MaxLevels = 16   // parts that a / separates: Redis has a generation for each
)

// New makes the cache of that name on b. Caches of one name share their values
// and must be of one type. Give each kind of values a name, and each thing of that
// kind a key: a name costs some KiB and takes its share of Config.MaxBytes. An empty
// name, one with braces or line ends, or a policy that cannot work is an error of
// every Get, Refresh and Invalidate; so is a key that is empty or beyond the limits.
func New[V any](b *Backend, name string, p Policy) *Cache[V] {
	c := &Cache[V]{b: b, name: name}
	c.policy, c.err = p.withDefaults()
	if c.err != nil {
		c.err = fmt.Errorf("cache %q: %w", name, c.err)
	}
	if err := checkName(name); err != nil {
		c.err = err
	}
	if c.err == nil {
		c.shelf = b.shelf(name)
	}
	if b.remote == nil {
		c.policy.Memory = c.policy.Fresh
	}
	return c
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("cache: the name is empty: it keeps the keys of caches apart")
	case strings.ContainsAny(name, "{}\r\n"):
		return fmt.Errorf("cache %q: the name must have no braces and no line ends", name)
	}
	return nil
}

// Get returns the value of key: a fresh one from memory or Redis, else a loaded
// one, else, when loading fails, an old one marked stale. The error is the
// load's, with nothing to stand in for it, or the end of ctx. Where there is no
// such thing it is [ErrNotFound].
func (c *Cache[V]) Get(ctx context.Context, key string, load Load[V]) (Entry[V], error) {
	if c.err != nil || load == nil {
		return Entry[V]{}, c.fault(key)
	}
	if i, ok := c.shelf.items.GetIfPresent(key); ok {
		now := c.b.clock.coarse()
		if now < i.quiet.Load() && i.epoch.Load() == c.b.epoch.Load() {
			if v, mine := i.value.(*V); mine {
				c.b.counts.memoryHits.Add(1)
				return Entry[V]{Value: *v, LoadedAt: i.loadedAt, Source: Memory}, nil
			}
		}
		if a := c.settle(ctx, key, i, now, load); a.ok {
			return a.entry, a.err
		}
	}
	return c.share(ctx, key, getting, func(ctx context.Context, f *flight) (Entry[V], error) { return c.fetch(ctx, f, load) })
}

// Refresh loads the value of key now and replaces it for everybody. When that
// fails the old value stays, and is returned marked stale with the reason in
// Entry.Err; without one, the error is the load's. Who calls it while it is under
// way, here or in another process, shares it.
func (c *Cache[V]) Refresh(ctx context.Context, key string, load Load[V]) (Entry[V], error) {
	if c.err != nil || load == nil {
		return Entry[V]{}, c.fault(key)
	}
	return c.share(ctx, key, refreshing, func(ctx context.Context, f *flight) (Entry[V], error) { return c.renew(ctx, f, load) })
}

// fault says what is wrong with a call.
func (c *Cache[V]) fault(key string) error {
	if c.err != nil {
		return c.err
	}
	if err := c.checkKey(key); err != nil {
		return err
	}
	return fmt.Errorf("cache %q: the load function is nil", c.name)
}

func (c *Cache[V]) checkKey(key string) error {
	switch {
	case strings.Trim(key, "/") == "":
		return fmt.Errorf("cache %q: the key is empty", c.name)
	case len(key) > MaxKey:
		return fmt.Errorf("cache %q: the key has %d bytes: it may have %d, so take a hash of it", c.name, len(key), MaxKey)
	case strings.Count(key, "/") >= MaxLevels:
		return fmt.Errorf("cache %q: the key has %d levels, which a / separates: it may have %d", c.name, 1+strings.Count(key, "/"), MaxLevels)
	}
	return nil
}

// answer is what a call may return.
type answer[V any] struct {
	entry Entry[V]
	err   error
	ok    bool
}

// settle answers from an item in memory that is not simply a hit; !ok: it takes
// a flight.
func (c *Cache[V]) settle(ctx context.Context, key string, i *item, now int64, load Load[V]) answer[V] {
	switch {
	case i.epoch.Load() != c.b.epoch.Load():
		return answer[V]{}
	case now < i.retryAt && !c.b.noValues: // else Redis may have one that stands in
		return c.standIn(i, Memory, i.failed, now)
	case !i.answers() || now >= i.fresh || now >= i.believed.Load():
		return answer[V]{}
	}
	c.startAhead(ctx, key, i, now, load)
	a := c.serve(i, Memory)
	if a.ok {
		c.b.counts.memoryHits.Add(1)
	}
	return a
}

// startAhead has an item past its Soft loaded anew, unless it is already.
func (c *Cache[V]) startAhead(ctx context.Context, key string, i *item, now int64, load Load[V]) {
	if now >= i.soft && now < i.fresh && i.ahead.CompareAndSwap(false, true) {
		_, began := c.join(ctx, key, ahead, func(ctx context.Context, f *flight) (Entry[V], error) { return c.loadAhead(ctx, f, i, load) })
		if !began { // one of an older item is under way
			i.ahead.Store(false)
		}
	}
}

// serve answers with an item; !ok: it is of another type.
func (c *Cache[V]) serve(i *item, from Source) answer[V] {
	if i.missing != nil {
		return answer[V]{Entry[V]{LoadedAt: i.loadedAt, Source: from}, i.missing, true}
	}
	v, mine := i.value.(*V)
	if !mine {
		return answer[V]{}
	}
	return answer[V]{Entry[V]{Value: *v, LoadedAt: i.loadedAt, Source: from}, nil, true}
}

// standIn answers with an old item, or none, when it cannot be loaded for that
// reason.
func (c *Cache[V]) standIn(i *item, from Source, why error, now int64) answer[V] {
	if i != nil && i.value != nil && now < i.usable {
		if a := c.serve(i, from); a.ok {
			c.b.counts.staleServed.Add(1)
			a.entry.Stale, a.entry.Err = true, why
			return a
		}
	}
	return answer[V]{err: why, ok: true}
}

// newItem is an item of what was loaded or read.
func (c *Cache[V]) newItem(key string, v *V, at time.Time, size int, generations string) *item {
	return &item{value: v, loadedAt: at, ages: c.policy.ages(key, at), size: uint32(size), generations: generations}
}
