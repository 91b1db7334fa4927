package cache

import (
	"context"
	"errors"
	"time"
)

// renew is a Refresh.
func (c *Cache[V]) renew(ctx context.Context, f *flight, load Load[V]) (Entry[V], error) {
	s := c.look(ctx, f)
	s.fresh, s.failed = false, nil // it was asked for now
	if s.redis && c.waitForLock(ctx, f, s, refresh) {
		if a := c.ready(s); a.ok {
			return a.entry, a.err
		}
	}
	c.b.counts.refreshes.Add(1)
	return c.load(ctx, f, s, load, refresh)
}

// loadAhead loads a value anew in the background, unless another process does.
func (c *Cache[V]) loadAhead(ctx context.Context, f *flight, i *item, load Load[V]) (Entry[V], error) {
	defer func() { // the next soft hit may try again, after a while
		i.quiet.Store(min(c.b.clock.now().Add(max(pause, c.policy.Backoff)).UnixNano(), i.fresh, i.believed.Load()))
		i.ahead.Store(false)
	}()
	s := c.look(ctx, f)
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
			c.judge(f, s, found)
			s.token, s.release = token, c.b.remote.hold(ctx, s.place, token)
			if s.fresh && now < s.best.soft {
				c.free(ctx, s)
				return Entry[V]{}, nil
			}
		}
	}
	c.b.counts.refreshes.Add(1)
	return c.load(ctx, f, s, load, !refresh)
}

// load calls the load function and stores what it gives; when it fails, what is
// there stands in.
func (c *Cache[V]) load(ctx context.Context, f *flight, s *sight, load Load[V], replace bool) (Entry[V], error) {
	c.b.counts.loads.Add(1)
	at := c.b.clock.now()
	v, err := guarded(ctx, load)
	if s.release != nil {
		s.release()
	}
	ctx = context.WithoutCancel(ctx) // a load that took all its time is stored all the same
	defer c.free(ctx, s)             // whatever the codec does
	switch {
	case errors.Is(err, ErrNotFound):
		c.storeMissing(ctx, f, s, err, at, replace)
		return Entry[V]{LoadedAt: at, Source: Loaded}, err
	case err != nil:
		c.b.counts.loadErrors.Add(1)
		return c.failed(f, s, err, at)
	}
	c.store(ctx, f, s, &v, at, replace)
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
func (c *Cache[V]) store(ctx context.Context, f *flight, s *sight, v *V, at time.Time, replace bool) {
	if c.policy.Fresh == 0 {
		return
	}
	var raw []byte
	var err error
	if c.b.remote != nil || !c.b.noValues {
		if raw, err = c.b.codec.Marshal(v); err != nil {
			c.b.counts.unreadable.Add(1)
		}
	}
	i := c.newItem(f.id.key, v, at, len(raw), "")
	if s.redis && s.words != nil {
		text := "" // what was there does not count
		if err == nil && len(raw) <= largest {
			text = envelope{false, at, c.b.codec.Name(), s.generations(), string(raw)}.String()
		}
		if !c.storeRemote(ctx, f, s, text, i, c.policy.keep(), replace) {
			return
		}
	}
	i.believe(s.epoch, at.Add(c.trust()).UnixNano())
	c.b.keep(f, i)
}

// storeMissing keeps for a while that there is nothing, or else that nothing is
// known any more.
func (c *Cache[V]) storeMissing(ctx context.Context, f *flight, s *sight, why error, at time.Time, replace bool) {
	if c.policy.Fresh == 0 {
		return
	}
	i := &item{missing: why, loadedAt: at, ages: c.policy.missing(at)}
	if s.redis && s.words != nil {
		raw := ""
		if c.policy.Missing > 0 {
			raw = envelope{true, at, c.b.codec.Name(), s.generations(), ""}.String()
		}
		if !c.storeRemote(ctx, f, s, raw, i, c.policy.Missing, replace) {
			return
		}
	}
	if c.policy.Missing == 0 {
		c.b.forget(f)
		return
	}
	i.believe(s.epoch, i.fresh)
	c.b.keep(f, i)
}

// storeRemote stores a value in Redis; false: it does not count.
func (c *Cache[V]) storeRemote(ctx context.Context, f *flight, s *sight, raw string, i *item, life time.Duration, replace bool) bool {
	known := s.raw
	if replace {
		known = anyValue
	}
	// Others may have a copy that is fresh, or an old one that outlives in memory what
	// Redis knows of its end.
	tell := f.id.kind != getting || i.missing != nil
	stored, err := c.b.remote.store(ctx, s.place, s.token, known, raw, life, s.words, tell)
	if err != nil {
		return true // as without Redis
	}
	s.token = "" // it is free
	i.generations = s.generations()
	return stored
}
