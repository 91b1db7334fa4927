package cache

import "sync/atomic"

// Stats counts what a Backend did since Open.
type Stats struct {
	MemoryHits  int64 // served fresh from memory
	RedisHits   int64 // served fresh from Redis
	Misses      int64 // neither had it fresh
	Loads       int64 // calls of a load function
	LoadErrors  int64 // of those, how many failed or panicked
	StaleServed int64 // an old value stood in
	RedisErrors int64 // Redis did not answer, or refused
	Unreadable  int64 // entries in Redis that could not be read: foreign or of another version
	Bytes       int64 // what the values in memory weigh
}

// counts are the counters of Stats.
type counts struct {
	memoryHits, redisHits, misses, loads, loadErrors, staleServed, redisErrors, unreadable atomic.Int64
}

// Stats is a snapshot of the counters.
func (b *Backend) Stats() Stats {
	c := &b.counts
	return Stats{
		MemoryHits: c.memoryHits.Load(), RedisHits: c.redisHits.Load(), Misses: c.misses.Load(),
		Loads: c.loads.Load(), LoadErrors: c.loadErrors.Load(), StaleServed: c.staleServed.Load(),
		RedisErrors: c.redisErrors.Load(), Unreadable: c.unreadable.Load(),
		Bytes: int64(b.memory.WeightedSize()),
	}
}
