package cache

import "sync/atomic"

// Stats counts what a Backend did since Open, and says how it is.
type Stats struct {
	MemoryHits  int64 // served fresh from memory
	RedisHits   int64 // served fresh from Redis
	Misses      int64 // neither had it fresh
	Loads       int64 // calls of a load function
	LoadErrors  int64 // of those, how many failed or panicked; not ErrNotFound
	StaleServed int64 // answers that stood in: of one load, or while it is not tried again
	Refreshes   int64 // loads that replaced a value before its time: by Refresh, or in the background
	Evictions   int64 // values that memory had no room for
	RedisErrors int64 // Redis did not answer, or refused
	Unreadable  int64 // entries in Redis that could not be read, foreign or of another version, and values that Codec refused

	Entries int64   // keys in memory
	Bytes   int64   // what they weigh
	Breaker Breaker // whether Redis is asked
	Pending int64   // invalidations that Redis has yet to be told
}

// Breaker says whether Redis is asked.
type Breaker uint8

// The states of the breaker.
const (
	BreakerNone     Breaker = iota // memory only
	BreakerClosed                  // Redis is asked
	BreakerOpen                    // it is away, and left alone for a moment
	BreakerHalfOpen                // it is being tried, in the background
)

// String is "none", "closed", "open" or "half-open".
func (b Breaker) String() string {
	return [...]string{"none", "closed", "open", "half-open"}[min(b, BreakerHalfOpen)]
}

// counts are the counters of Stats.
type counts struct {
	memoryHits                                                                                       atomic.Int64
	_                                                                                                [56]byte // hits alone on their line of the processor's cache
	redisHits, misses, loads, loadErrors, staleServed, refreshes, evictions, redisErrors, unreadable atomic.Int64
}

// Stats is a snapshot of the counters.
func (b *Backend) Stats() Stats {
	c := &b.counts
	s := Stats{
		MemoryHits: c.memoryHits.Load(), RedisHits: c.redisHits.Load(), Misses: c.misses.Load(),
		Loads: c.loads.Load(), LoadErrors: c.loadErrors.Load(), StaleServed: c.staleServed.Load(),
		Refreshes: c.refreshes.Load(), Evictions: c.evictions.Load(),
		RedisErrors: c.redisErrors.Load(), Unreadable: c.unreadable.Load(),
	}
	b.mu.Lock()
	for _, shelf := range b.shelves {
		s.Entries += int64(shelf.items.EstimatedSize())
		s.Bytes += int64(shelf.items.WeightedSize())
	}
	b.mu.Unlock()
	if b.remote != nil {
		s.Breaker, s.Pending = b.remote.breaker.state()
	}
	return s
}
