package cache

import (
	"strings"
	"sync/atomic"
	"time"
)

// id is where a value is in memory.
type id struct{ name, key string }

// item is what memory holds of a key: a value, the knowledge that there is none,
// or only that its load failed.
type item struct {
	value    any // *V; nil: none
	missing  error
	loadedAt time.Time
	ages
	size        uint32 // of its encoding, in bytes
	generations string // in Redis, when its load began; "": not known
	failed      error  // why its last load failed
	retryAt     int64  // when it may be loaded again, after that

	epoch    atomic.Uint64 // of the Backend, when it was last known to count
	believed atomic.Int64  // until when, without asking Redis
	quiet    atomic.Int64  // until when a hit has nothing to do
	ahead    atomic.Bool   // it is being loaded in the background
}

// answers reports whether i is more than a note of a failure.
func (i *item) answers() bool { return i.value != nil || i.missing != nil }

// believe says that i counts until then, as far as the epoch goes.
func (i *item) believe(epoch uint64, until int64) {
	i.believed.Store(until)
	i.quiet.Store(min(i.soft, until))
	i.epoch.Store(epoch)
}

// again is a copy of i, of which only what changes is left out.
func (i *item) again() *item {
	return &item{
		value: i.value, missing: i.missing, loadedAt: i.loadedAt, ages: i.ages, size: i.size,
		generations: i.generations,
	}
}

// noteSize is what a note of a failure weighs.
const noteSize = 256

// keep puts an item into memory, unless its key was invalidated since the
// flight began.
func (b *Backend) keep(f *flight, i *item) {
	if b.noValues && i.answers() {
		if i.failed == nil {
			return
		}
		i = &item{failed: i.failed, retryAt: i.retryAt, size: noteSize}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !f.dirty && !b.closed {
		b.memory.Set(f.id.id, i)
	}
}

// outdate forgets the copy of a key that another process replaced.
func (b *Backend) outdate(name, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for which, f := range b.flights {
		if which.id == (id{name, key}) {
			f.dirty = true // it may have read the old one
		}
	}
	b.memory.Invalidate(id{name, key})
}

// drop forgets a key, and those below it; with no key, all of the name. Flights
// under way are not stored, and nobody joins them any more.
func (b *Backend) drop(name, key string) {
	covers := func(k id) bool {
		return k.name == name && (key == "" || k.key == key || strings.HasPrefix(k.key, key+"/"))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for which, f := range b.flights {
		if covers(which.id) {
			f.dirty, f.dropped = true, true
			delete(b.flights, which)
		}
	}
	for k := range b.memory.Keys() {
		if covers(k) {
			b.memory.Invalidate(k)
		}
	}
}
