package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// DefaultLoadTimeout bounds a load when Policy.LoadTimeout is zero.
const DefaultLoadTimeout = 30 * time.Second

// Policy says how long values count.
type Policy struct {
	// Fresh is how long a value is served without asking again. Zero: values
	// are never stored; callers that ask at the same time still share one load.
	Fresh time.Duration
	// Stale is how long after Fresh a value may stand in for a load that fails.
	// Zero: never.
	Stale time.Duration
	// LoadTimeout bounds one load, which outlives its callers. Zero:
	// [DefaultLoadTimeout].
	LoadTimeout time.Duration
}

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
type Load[V any] func(ctx context.Context) (V, error)

// ErrPanic is what callers get when a load panicked; its text has the value's
// type, not the value.
var ErrPanic = errors.New("cache: the load function panicked")

// Cache holds values of one type under one name. It is safe for concurrent use.
type Cache[V any] struct {
	b      *Backend
	name   string
	policy Policy
	local  *atomic.Uint64 // the invalidations of name in this process
	err    error          // a policy that cannot work: every Get answers it
}

// New makes the cache of that name on b. Caches of one name share their values
// and must be of one type. An empty name or a negative duration is an error of
// every Get and Refresh.
func New[V any](b *Backend, name string, p Policy) *Cache[V] {
	c := &Cache[V]{b: b, name: name, policy: p, local: b.generation(name)}
	switch {
	case name == "":
		c.err = errors.New("cache: the name is empty: it keeps the keys of caches apart")
	case p.Fresh < 0 || p.Stale < 0 || p.LoadTimeout < 0:
		c.err = fmt.Errorf("cache %q: Policy.Fresh, Stale and LoadTimeout must not be negative", name)
	}
	if c.policy.LoadTimeout == 0 {
		c.policy.LoadTimeout = DefaultLoadTimeout
	}
	return c
}

// Get returns the value of key: a fresh one from memory or Redis, else a loaded
// one, else, when loading fails, an old one marked stale. The error is the
// load's, with nothing to stand in for it, or the end of ctx.
func (c *Cache[V]) Get(ctx context.Context, key string, load Load[V]) (Entry[V], error) {
	if err := c.check(key, load); err != nil {
		return Entry[V]{}, err
	}
	if i := c.inMemory(key); i != nil && c.fresh(i.loadedAt) {
		c.b.counts.memoryHits.Add(1)
		return Entry[V]{Value: i.value.(V), LoadedAt: i.loadedAt, Source: Memory}, nil
	}
	return c.share(ctx, key, getting, func(ctx context.Context) (Entry[V], error) { return c.fetch(ctx, key, load) })
}

// Refresh loads the value of key now and replaces it for everybody. When that
// fails the old value stays, and is returned marked stale with the reason in
// Entry.Err; without one, the error is the load's.
func (c *Cache[V]) Refresh(ctx context.Context, key string, load Load[V]) (Entry[V], error) {
	if err := c.check(key, load); err != nil {
		return Entry[V]{}, err
	}
	return c.share(ctx, key, refreshing, func(ctx context.Context) (Entry[V], error) {
		old, generation := c.look(ctx, key)
		return c.load(ctx, key, old, generation, load)
	})
}

func (c *Cache[V]) check(key string, load Load[V]) error {
	switch {
	case c.err != nil:
		return c.err
	case key == "":
		return fmt.Errorf("cache %q: the key is empty", c.name)
	case load == nil:
		return fmt.Errorf("cache %q: the load function is nil", c.name)
	}
	return nil
}

// inMemory is the item of key, nil if it is not there or may not even stand in.
func (c *Cache[V]) inMemory(key string) *item {
	i, ok := c.b.memory.GetIfPresent(id{c.name, key})
	if !ok {
		return nil
	}
	if _, mine := i.value.(V); !mine || i.generation != c.local.Load() || !c.usable(i.loadedAt) {
		c.b.memory.Invalidate(id{c.name, key})
		return nil
	}
	return i
}

func (c *Cache[V]) fresh(at time.Time) bool { return c.b.now().Sub(at) < c.policy.Fresh }

func (c *Cache[V]) usable(at time.Time) bool {
	return c.policy.Fresh > 0 && c.b.now().Sub(at) < c.policy.Fresh+c.policy.Stale
}

// fetch is a Get that memory could not answer.
func (c *Cache[V]) fetch(ctx context.Context, key string, load Load[V]) (Entry[V], error) {
	old, generation := c.look(ctx, key)
	if old != nil && c.fresh(old.LoadedAt) {
		if old.Source == Redis {
			c.b.counts.redisHits.Add(1)
		} else { // another flight was faster
			c.b.counts.memoryHits.Add(1)
		}
		return *old, nil
	}
	c.b.counts.misses.Add(1)
	return c.load(ctx, key, old, generation, load)
}

// look finds the newest usable value of key, fresh or not, and the generation
// in Redis ("": not known, so that nothing can be stored there).
func (c *Cache[V]) look(ctx context.Context, key string) (old *Entry[V], generation string) {
	local := c.local.Load()
	if i := c.inMemory(key); i != nil {
		old = &Entry[V]{Value: i.value.(V), LoadedAt: i.loadedAt, Source: Memory}
	}
	if c.b.remote == nil || c.policy.Fresh == 0 {
		return old, ""
	}
	f, err := c.b.remote.get(ctx, c.name, key)
	switch {
	case errors.Is(err, errUnreadable):
		c.b.counts.unreadable.Add(1)
	case err != nil:
		c.b.counts.redisErrors.Add(1)
		return old, ""
	}
	if f.envelope != nil {
		if stored := c.open(f.envelope); stored != nil && (old == nil || stored.LoadedAt.After(old.LoadedAt)) {
			old = stored
			c.keep(key, *stored, len(f.envelope.Value), local)
		}
	}
	if f.generation == "" {
		if f.generation, err = c.b.remote.begin(ctx, c.name); err != nil {
			c.b.counts.redisErrors.Add(1)
		}
	}
	return old, f.generation
}

// open decodes what Redis had, nil if it cannot be read or is too old.
func (c *Cache[V]) open(e *envelope) *Entry[V] {
	at := time.UnixMilli(e.LoadedAt)
	if !c.usable(at) {
		return nil
	}
	var v V
	if err := json.Unmarshal(e.Value, &v); err != nil {
		c.b.counts.unreadable.Add(1)
		return nil
	}
	return &Entry[V]{Value: v, LoadedAt: at, Source: Redis}
}

// load calls the load function and stores what it gives; when it fails, old
// stands in.
func (c *Cache[V]) load(ctx context.Context, key string, old *Entry[V], generation string, load Load[V]) (Entry[V], error) {
	local := c.local.Load()
	c.b.counts.loads.Add(1)
	at := c.b.now()
	v, err := guarded(ctx, load)
	if err != nil {
		c.b.counts.loadErrors.Add(1)
		if old != nil && c.usable(old.LoadedAt) && c.local.Load() == local {
			c.b.counts.staleServed.Add(1)
			old.Stale, old.Err = true, err
			return *old, nil
		}
		return Entry[V]{}, err
	}
	e := Entry[V]{Value: v, LoadedAt: at, Source: Loaded}
	c.store(ctx, key, e, generation, local)
	return e, nil
}

// guarded turns a panic of the load function into an error.
func guarded[V any](ctx context.Context, load Load[V]) (v V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %T", ErrPanic, r)
		}
	}()
	return load(ctx)
}

// store keeps a loaded value in memory and, where the generation is known, in Redis.
func (c *Cache[V]) store(ctx context.Context, key string, e Entry[V], generation string, local uint64) {
	if c.policy.Fresh == 0 {
		return
	}
	raw, err := json.Marshal(e.Value)
	if err != nil { // it can live in memory only; what it weighs is a guess
		c.keep(key, e, 1<<10, local)
		return
	}
	c.keep(key, e, len(raw), local)
	if generation == "" {
		return
	}
	ctx = context.WithoutCancel(ctx) // a load that took all its time is stored all the same
	if err := c.b.remote.set(ctx, c.name, key, generation, raw, e.LoadedAt, c.policy.Fresh+c.policy.Stale); err != nil {
		c.b.counts.redisErrors.Add(1)
	}
}

// keep puts a value into memory, unless its name was invalidated since local.
func (c *Cache[V]) keep(key string, e Entry[V], size int, local uint64) {
	if c.local.Load() != local {
		return
	}
	c.b.memory.Set(id{c.name, key}, &item{value: e.Value, loadedAt: e.LoadedAt, size: uint32(size), generation: local})
}
