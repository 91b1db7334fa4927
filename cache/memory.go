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
	flights map[flightID]*flight // under Backend.mu, as deep
	deep    bool                 // some keys are below others
}

// shelf is that of a name. A new one leaves to each an equal share of the memory.
func (b *Backend) shelf(name string) *shelf {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.shelves[name]; ok {
		return s
	}
	if n := len(b.shelves) + 1; n > b.shares {
		b.shares = n + n/8 // with many names, not for each of them
		for _, s := range b.shelves {
			s.items.SetMaximum(b.share())
		}
	}
	s := &shelf{
		items: otter.Must(&otter.Options[string, *item]{
			MaximumWeight: b.share(),
			Weigher:       func(key string, i *item) uint32 { return itemSize + uint32(len(key)) + i.size },
			OnDeletion: func(e otter.DeletionEvent[string, *item]) {
				if e.WasEvicted() {
					b.counts.evictions.Add(1)
				}
			},
		}),
		flights: map[flightID]*flight{},
	}
	b.shelves[name] = s
	return s
}

// smallest is what a name may take even of a memory that has no room for all.
const smallest = 4 << 10

// share is what each name may take, under mu.
func (b *Backend) share() uint64 { return max(smallest, b.maxBytes/uint64(b.shares)) }

// itemSize is about what an item takes in memory beside its key and its value.
const itemSize = 288

// item is what memory holds of a key: a value, the knowledge that there is none,
// or only that its load failed.
type item struct {
	value    any // *V; nil: none
	missing  error
	loadedAt time.Time
	ages
	size        uint32 // of its encoding, in bytes; 0: none, or not known
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

// keep puts what is known of a flight's key into memory, unless that was
// invalidated since the flight began.
func (b *Backend) keep(f *flight, i *item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.noValues:
		b.put(f, i)
	case i.failed != nil:
		b.put(f, &item{failed: i.failed, retryAt: i.retryAt})
	}
}

// keepLoaded keeps what a load found just now; nil: nothing. After a Refresh, what
// flights under way found may be older: it is not kept, and nobody joins them any
// more.
func (b *Backend) keepLoaded(f *flight, i *item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noValues {
		i = nil
	}
	b.put(f, i)
	if f.id.kind == refreshing && !f.dirty {
		f.shelf.outdate(f.id.key, f)
	}
}

func (b *Backend) put(f *flight, i *item) {
	switch {
	case f.dirty, b.closed:
	case i == nil:
		f.shelf.items.Invalidate(f.id.key)
	default:
		f.shelf.items.Set(f.id.key, i)
		f.shelf.deep = f.shelf.deep || strings.Contains(f.id.key, "/")
	}
}

// outdate forgets the copy of a key that another process replaced.
func (b *Backend) outdate(name, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.shelves[name]; ok {
		s.outdate(key, nil)
		s.items.Invalidate(key)
	}
}

// outdate has flights of a key that may have read an older value, but for one, keep
// nothing, and nobody join their Gets; Backend.mu is held.
func (s *shelf) outdate(key string, but *flight) {
	for which, f := range s.flights {
		if which.key == key && f != but {
			f.dirty = true
			if which.kind != refreshing { // that one began to look for what is new
				delete(s.flights, which)
			}
		}
	}
}

// drop forgets a key, and those below it; with no key, all of the name. Flights
// under way are not stored, and nobody joins them any more.
func (b *Backend) drop(name, key string) {
	covers := func(k string) bool { return key == "" || k == key || strings.HasPrefix(k, key+"/") }
	b.mu.Lock()
	s, ok := b.shelves[name]
	if !ok {
		b.mu.Unlock()
		return
	}
	for which, f := range s.flights {
		if covers(which.key) {
			f.dirty, f.dropped = true, true
			delete(s.flights, which)
		}
	}
	deep := s.deep
	b.mu.Unlock() // what is stored from here on is of a later flight
	if key != "" && !deep {
		s.items.Invalidate(key)
		return
	}
	for k := range s.items.Keys() {
		if covers(k) {
			s.items.Invalidate(k)
		}
	}
}
