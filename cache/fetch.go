package cache

import (
	"context"
	mathrand "math/rand/v2"
	"strings"
	"time"
)

// sight is what a flight knows of its key.
type sight struct {
	place   place
	best    *item // the newest that may still be used, and where it is; nil: none
	from    Source
	fresh   bool  // best is served without a load
	failed  error // the last load, just now: it is not tried again yet
	epoch   uint64
	redis   bool     // it answered
	words   []string // the generations there; nil: not all are
	raw     string   // the value there
	token   string   // of the lock, if we hold it
	release func()   // ends its extension
}

func (s *sight) generations() string { return strings.Join(s.words, ",") }

// fetch is a Get that memory could not answer.
func (c *Cache[V]) fetch(ctx context.Context, f *flight, load Load[V]) (Entry[V], error) {
	s := c.look(ctx, f)
	if a := c.ready(s); a.ok {
		if s.fresh && s.failed == nil {
			c.startAhead(ctx, f.id.key, s.best, c.b.clock.now().UnixNano(), load)
		}
		return a.entry, a.err
	}
	c.b.counts.misses.Add(1)
	defer c.free(context.WithoutCancel(ctx), s) // whatever the codec does
	if s.redis && c.waitForLock(ctx, f, s) {
		if a := c.ready(s); a.ok {
			return a.entry, a.err
		}
	}
	return c.load(ctx, f, s, load)
}

// ready answers with what needs no load.
func (c *Cache[V]) ready(s *sight) answer[V] {
	switch {
	case s.fresh:
		a := c.serve(s.best, s.from)
		switch {
		case !a.ok:
		case s.from == Redis:
			c.b.counts.redisHits.Add(1)
		default: // another flight was faster, or Redis says that it still counts
			c.b.counts.memoryHits.Add(1)
		}
		return a
	case s.failed != nil:
		return c.standIn(s.best, s.from, s.failed, c.b.clock.now().UnixNano())
	}
	return answer[V]{}
}

// look finds the newest usable value of a flight's key, fresh or not.
func (c *Cache[V]) look(ctx context.Context, f *flight) *sight {
	s := &sight{epoch: c.b.epoch.Load()}
	now := c.b.clock.now().UnixNano()
	if i, ok := c.shelf.items.GetIfPresent(f.id.key); ok {
		if now < i.retryAt {
			s.failed = i.failed
		}
		if _, mine := i.value.(*V); now < i.usable && (mine || i.missing != nil) {
			s.best, s.from = i, Memory
		}
	}
	if c.b.remote == nil || c.policy.Fresh == 0 {
		s.fresh = s.best != nil && now < s.best.fresh
		return s
	}
	s.place = c.b.remote.place(c.name, f.id.key, &c.policy)
	found, err := c.b.remote.get(ctx, s.place)
	if err != nil { // memory serves; it need not ask for a moment
		if s.fresh = s.best != nil && now < s.best.fresh; s.fresh {
			s.best.believe(s.epoch, now+int64(pause))
		}
		return s
	}
	c.judge(f, s, found)
	return s
}

// trust is how long a copy in memory is served before Redis is asked about it.
func (c *Cache[V]) trust() time.Duration {
	if c.b.remote == nil {
		return c.policy.Memory
	}
	return c.b.remote.listener.trust(c.policy.Memory)
}

// judge holds what is known against what Redis says.
func (c *Cache[V]) judge(f *flight, s *sight, found found) {
	now := c.b.clock.now().UnixNano()
	s.redis, s.words, s.raw, s.fresh = true, found.generations, found.value, false
	generations := s.generations()
	if i := s.best; i != nil && s.from == Memory {
		switch {
		case i.generations == generations && generations != "":
			i.believe(s.epoch, now+int64(c.trust()))
			s.fresh = now < i.fresh
		case ends(i.generations, s.words):
			s.best = nil
		default: // Redis forgot, or never knew: it may stand in
		}
	}
	e, ok := c.read(found.value, generations)
	if !ok || s.best != nil && e.loadedAt.UnixMicro() <= s.best.loadedAt.UnixMicro() {
		return
	}
	if e.kind != kept {
		s.best, s.fresh = nil, false
	}
	i := c.open(f.id.key, e)
	if i == nil || now >= i.usable {
		return
	}
	i.believe(s.epoch, now+int64(c.trust()))
	s.best, s.from, s.fresh = i, Redis, now < i.fresh
	c.b.keep(f, i)
}

// read parses what Redis has; !ok: it is none, does not count, or cannot be read.
func (c *Cache[V]) read(raw, generations string) (e envelope, ok bool) {
	if raw == "" {
		return e, false
	}
	e, ok = parseEnvelope(raw)
	if !ok || e.codec != c.b.codec.Name() {
		c.b.counts.unreadable.Add(1)
		return e, false
	}
	return e, e.generations == generations
}

// open is the item of an envelope; nil: it has none, or none that can be decoded.
func (c *Cache[V]) open(key string, e envelope) *item {
	at := e.loadedAt
	if now := c.b.clock.now(); at.After(now) {
		at = now // by a clock that is ahead
	}
	switch e.kind {
	case unkept:
		return nil
	case missing:
		return &item{missing: ErrNotFound, loadedAt: e.loadedAt, ages: c.policy.missing(at), generations: e.generations}
	}
	v := new(V)
	if err := c.b.codec.Unmarshal([]byte(e.value), v); err != nil {
		c.b.counts.unreadable.Add(1)
		return nil
	}
	i := c.newItem(key, v, at, len(e.value), e.generations)
	i.loadedAt = e.loadedAt
	return i
}

// The pauses between two looks at a lock that another process holds.
const (
	firstPoll = 5 * time.Millisecond
	lastPoll  = 100 * time.Millisecond
)

// waitForLock takes the lock of the flight's key, or waits for what its holder
// loads: true if that came. It does not wait for more than half of the time
// there is: then, as without Redis, the caller loads without the lock.
func (c *Cache[V]) waitForLock(ctx context.Context, f *flight, s *sight) (came bool) {
	again := f.id.kind == refreshing
	token := "g" + newToken()
	if again {
		token = "r" + token[1:]
	}
	first, holder := "", ""
	patient, cancel := context.WithTimeout(ctx, c.policy.LoadTimeout/2)
	defer cancel()
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		s.epoch = c.b.epoch.Load()
		found, err := c.b.remote.claim(ctx, s.place, token, s.raw)
		if err != nil {
			s.redis = false
			return false
		}
		got := found.holder == token
		if got {
			s.token, s.release = token, c.b.remote.hold(ctx, s.place, token)
		}
		c.judge(f, s, found)
		switch {
		case holder == "":
			first = idOf(s.raw)
			came = !again && s.fresh
		case again: // another's refresh, that was under way
			came = holder[0] == 'r' && s.fresh && idOf(s.raw) != first
		default:
			came = s.fresh
		}
		if got || came {
			return came
		}
		holder = found.holder
		if !wait(patient, poll) {
			return false
		}
	}
}

// until waits until ok, which it asks now and then; false: ctx ended.
func until(ctx context.Context, ok func() bool) bool {
	for !ok() {
		if !wait(ctx, firstPoll) {
			return false
		}
	}
	return true
}

// wait pauses for about d; false: ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d/2 + time.Duration(mathrand.Int64N(int64(d))))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
