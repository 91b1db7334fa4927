package cache

import (
	"context"
	"errors"
	"time"
)

// renew is a Refresh.
func (c *Cache[V]) renew(ctx context.Context, f *flight, load Load[V]) (Entry[V], error) {
	s := c.look(ctx, f)
	defer c.free(context.WithoutCancel(ctx), s) // whatever the codec does
	s.fresh, s.failed = false, nil              // it was asked for now
	if s.redis && c.waitForLock(ctx, f, s) {
		if a := c.ready(s); a.ok {
			return a.entry, a.err
		}
	}
	c.b.counts.refreshes.Add(1)
	return c.load(ctx, f, s, load)
}

// loadAhead loads a value anew in the background, unless another process does.
func (c *Cache[V]) loadAhead(ctx context.Context, f *flight, i *item, load Load[V]) (Entry[V], error) {
	began := c.b.clock.now()
	defer func() { // the next soft hit may try again, after a while
		now := c.b.clock.now()
		i.quiet.Store(min(now.Add(max(pause, c.policy.Backoff, now.Sub(began))).UnixNano(), i.fresh, i.believed.Load()))
		i.ahead.Store(false)
	}()
	s := c.look(ctx, f)
	defer c.free(context.WithoutCancel(ctx), s)
	now := c.b.clock.now().UnixNano()
	if s.fresh && now < s.best.soft { // another process has loaded it
		return Entry[V]{}, nil
	}
	if s.redis {
		token := "g" + newToken()
		found, err := c.b.remote.claim(ctx, s.place, token, s.raw)
		switch {
		case err != nil:
			s.redis = false
		case found.holder != token:
			return Entry[V]{}, nil
		default:
			s.token, s.release = token, c.b.remote.hold(ctx, s.place, token)
			c.judge(f, s, found)
			if s.fresh && now < s.best.soft {
				return Entry[V]{}, nil
			}
		}
	}
	c.b.counts.refreshes.Add(1)
	return c.load(ctx, f, s, load)
}

// load calls the load function and stores what it gives; when it fails, what is
// there stands in.
func (c *Cache[V]) load(ctx context.Context, f *flight, s *sight, load Load[V]) (Entry[V], error) {
	c.b.counts.loads.Add(1)
	at := c.b.clock.now()
	v, err := guarded(ctx, load)
	if s.release != nil {
		s.release()
	}
	ctx = context.WithoutCancel(ctx) // a load that took all its time is stored all the same
	switch {
	case errors.Is(err, ErrNotFound):
		c.storeMissing(ctx, f, s, err, at)
		return Entry[V]{LoadedAt: at, Source: Loaded}, err
	case err != nil:
		c.b.counts.loadErrors.Add(1)
		return c.failed(f, s, err, at)
	}
	c.store(ctx, f, s, &v, at)
	return Entry[V]{Value: v, LoadedAt: at, Source: Loaded}, nil
}

// failed has the source left alone for a moment, or for as long as it took since
// that time to fail, and lets an old value stand in.
func (c *Cache[V]) failed(f *flight, s *sight, why error, since time.Time) (Entry[V], error) {
	now := c.b.clock.now()
	c.b.mu.Lock()
	dropped := f.dropped
	c.b.mu.Unlock()
	if dropped {
		s.best = nil
	}
	// What is fresh counts as before, where it was only to be replaced.
	counts := f.id.kind != getting && s.best != nil && now.UnixNano() < s.best.fresh && !c.b.noValues
	if c.policy.Fresh > 0 && c.policy.Backoff > 0 && !counts {
		note := new(item)
		if s.best != nil {
			note = s.best.again()
		}
		note.failed, note.retryAt = why, now.Add(max(c.policy.Backoff, now.Sub(since))).UnixNano()
		note.epoch.Store(s.epoch)
		c.b.keep(f, note)
	}
	if f.id.kind == ahead { // nobody waits
		return Entry[V]{}, why
	}
	a := c.standIn(s.best, s.from, why, now.UnixNano())
	return a.entry, a.err
}

// free gives the lock back, if it is still held.
func (c *Cache[V]) free(ctx context.Context, s *sight) {
	if s.token != "" {
		s.release()
		_ = c.b.remote.extend(ctx, s.place, s.token, 0) // it ends by itself
		s.token = ""
	}
}

// largest is how large a value may be in Redis, encoded: one that takes longer than
// Config.Patience to read counts as a Redis that is away.
const largest = 8 << 20

// store keeps a loaded value in Redis, and unless that knows better in memory.
func (c *Cache[V]) store(ctx context.Context, f *flight, s *sight, v *V, at time.Time) {
	if c.policy.Fresh == 0 {
		return
	}
	kind := kept
	raw, err := c.b.codec.Marshal(v)
	if err != nil {
		c.b.counts.unreadable.Add(1)
	}
	if err != nil || len(raw) > largest {
		kind = unkept
	}
	i := c.newItem(f.id.key, v, at, len(raw), "")
	if !c.storeRemote(ctx, f, s, kind, raw, i, c.policy.keep()) {
		return
	}
	i.believe(s.epoch, at.Add(c.trust()).UnixNano())
	c.b.keepLoaded(f, i)
}

// storeMissing keeps for a while that there is nothing, or else that nothing is
// known any more.
func (c *Cache[V]) storeMissing(ctx context.Context, f *flight, s *sight, why error, at time.Time) {
	if c.policy.Fresh == 0 {
		return
	}
	life := c.policy.Missing
	if s.raw != "" || s.best != nil || f.id.kind == refreshing { // others may have a copy, and not hear
		life = max(life, c.policy.keep())
	}
	i := &item{missing: why, loadedAt: at, ages: c.policy.missing(at)}
	if !c.storeRemote(ctx, f, s, missing, nil, i, life) {
		return
	}
	if c.policy.Missing == 0 {
		i = nil
	} else {
		i.believe(s.epoch, i.fresh)
	}
	c.b.keepLoaded(f, i)
}

// storeRemote stores in Redis what a load found, for that life; with none, it
// deletes what was there. False: it does not count.
func (c *Cache[V]) storeRemote(ctx context.Context, f *flight, s *sight, kind string, raw []byte, i *item, life time.Duration) bool {
	known := s.raw
	switch {
	case !s.redis || s.words == nil:
		c.owe(f)
		return true
	case f.id.kind == refreshing:
		known = anyValue
	case kind == unkept: // copies of other processes are as good
		i.generations = s.generations()
		return true
	}
	e := envelope{kind: kind, loadedAt: i.loadedAt, codec: c.b.codec.Name(), generations: s.generations()}
	if kind == kept {
		e.value = string(raw)
	}
	text := ""
	if life > 0 {
		text = e.String()
	}
	// Others may have a copy that is fresh, or an old one that outlives in memory what
	// Redis knows of its end.
	tell := f.id.kind != getting || i.missing != nil
	stored, err := c.b.remote.store(ctx, s.place, s.token, known, text, life, s.words, tell)
	if err != nil {
		c.owe(f)
		return true // as without Redis
	}
	s.token = "" // it is free
	i.generations = e.generations
	return stored
}

// owe has Redis told later that what it has does not count, where a Refresh could
// not replace it.
func (c *Cache[V]) owe(f *flight) {
	if c.b.remote != nil && f.id.kind == refreshing {
		c.b.remote.breaker.owe([]invalidation{{c.name, f.id.key, c.policy.keepGeneration()}})
	}
}
