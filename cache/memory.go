package cache

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// shelf is what memory keeps of the caches of one name. Each name has its own, so
// that a hit hashes the key alone.
type shelf struct {
	items   *otter.Cache[string, *item]
	flights map[flightID]*flight // under Backend.mu
}

// shelf is that of a name. A new one leaves to each an equal share of the memory.
func (b *Backend) shelf(name string) *shelf {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.shelves[name]; ok {
		return s
	}
	b.shelves[name] = &shelf{
		items: otter.Must(&otter.Options[string, *item]{
			MaximumWeight: b.maxBytes,
			Weigher:       func(key string, i *item) uint32 { return i.size + uint32(len(key)) },
			OnDeletion: func(e otter.DeletionEvent[string, *item]) {
				if e.WasEvicted() {
					b.counts.evictions.Add(1)
				}
			},
		}),
		flights: map[flightID]*flight{},
	}
	for _, s := range b.shelves {
		s.items.SetMaximum(b.maxBytes / uint64(len(b.shelves)))
	}
	return b.shelves[name]
}

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
		f.shelf.items.Set(f.id.key, i)
	}
}

// outdate forgets the copy of a key that another process replaced.
func (b *Backend) outdate(name, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.shelves[name]
	if !ok {
		return
	}
	for which, f := range s.flights {
		if which.key == key {
			f.dirty = true // it may have read the old one
		}
	}
	s.items.Invalidate(key)
}

// drop forgets a key, and those below it; with no key, all of the name. Flights
// under way are not stored, and nobody joins them any more.
func (b *Backend) drop(name, key string) {
	covers := func(k string) bool { return key == "" || k == key || strings.HasPrefix(k, key+"/") }
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.shelves[name]
	if !ok {
		return
	}
	for which, f := range s.flights {
		if covers(which.key) {
			f.dirty, f.dropped = true, true
			delete(s.flights, which)
		}
	}
	for k := range s.items.Keys() {
		if covers(k) {
			s.items.Invalidate(k)
		}
	}
}
