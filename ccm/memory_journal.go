package ccm

import (
	"container/list"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// keyLifetime is how long a key is kept after its delivery ended.
	keyLifetime = 24 * time.Hour
	// memoryJournalSize is how many ended deliveries the journal in memory
	// keeps; with more in a day the oldest keys are forgotten.
	memoryJournalSize = 4096
)

// memoryJournal is the Journal of one process.
type memoryJournal struct {
	now  func() time.Time
	size int

	mu    sync.Mutex
	byID  map[string]*memoryEntry
	byKey map[string]*memoryEntry
	ended list.List // of *memoryEntry: kept and not claimed, the longest ago first
}

type memoryEntry struct {
	key, fingerprint string
	receipt          Receipt
	endedAt          time.Time
	place            *list.Element // in ended; nil while it is claimed
}

func newMemoryJournal(now func() time.Time, size int) *memoryJournal {
	return &memoryJournal{now: now, size: size, byID: map[string]*memoryEntry{}, byKey: map[string]*memoryEntry{}}
}

func (j *memoryJournal) Resume(_ context.Context, key, fingerprint string) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r, err := j.resume(key, fingerprint)
	return Record{Receipt: r}, err
}

func (j *memoryJournal) Recover(context.Context) (Record, error) { return Record{}, nil }

func (j *memoryJournal) List(context.Context, Filter) (Page, error) {
	return Page{Records: []Record{}}, nil
}

func (j *memoryJournal) Find(context.Context, string) (Record, error) {
	return Record{}, ErrUnknownDelivery
}

func (j *memoryJournal) Reopen(context.Context, string, string) (Record, error) {
	return Record{}, ErrUnknownDelivery
}

func (j *memoryJournal) Discard(context.Context, string, string) (Record, error) {
	return Record{}, ErrUnknownDelivery
}

func (j *memoryJournal) resume(key, fingerprint string) (Receipt, error) {
	j.forget()
	e := j.byKey[key]
	switch {
	case key == "" || e == nil:
		return Receipt{}, nil
	case e.fingerprint != fingerprint:
		return Receipt{}, ErrKeyReused
	case e.place == nil:
		return Receipt{}, ErrKeyBusy
	}
	r := e.copy()
	if r.Replayed = r.finished(); !r.Replayed {
		j.ended.Remove(e.place)
		e.place = nil
	}
	return r, nil
}

func (j *memoryJournal) Begin(_ context.Context, d Delivery) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r, err := j.resume(d.Key, d.Fingerprint); err != nil || r.ID != "" {
		return Record{Receipt: r}, err
	}
	e := &memoryEntry{key: d.Key, fingerprint: d.Fingerprint}
	e.receipt = Receipt{ID: rand.Text(), Parts: pendingParts(d.Parts), Meta: d.Meta}
	j.byID[e.receipt.ID] = e
	if e.key != "" {
		j.byKey[e.key] = e
	}
	return Record{Receipt: e.copy()}, nil
}

// copy is the receipt as it is now, for a caller to keep.
func (e *memoryEntry) copy() Receipt {
	r := e.receipt
	r.Parts = slices.Clone(r.Parts)
	return r
}

func (j *memoryJournal) Mark(_ context.Context, id string, part int, r PartResult) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.byID[id]
	if e == nil || part < 0 || part >= len(e.receipt.Parts) {
		return fmt.Errorf("ccm: the journal has no part %d of delivery %q", part, id)
	}
	e.receipt.Parts[part] = r
	return nil
}

func (j *memoryJournal) End(_ context.Context, id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.byID[id]
	if e == nil || e.place != nil {
		return nil
	}
	e.endedAt = j.now()
	e.place = j.ended.PushBack(e)
	if e.key == "" || e.receipt.untouched() {
		j.drop(e)
	}
	j.forget()
	return nil
}

// forget drops what is too old or too much.
func (j *memoryJournal) forget() {
	for first := j.ended.Front(); first != nil; first = j.ended.Front() {
		e := first.Value.(*memoryEntry)
		if j.ended.Len() <= j.size && j.now().Sub(e.endedAt) < keyLifetime {
			return
		}
		j.drop(e)
	}
}

func (j *memoryJournal) drop(e *memoryEntry) {
	j.ended.Remove(e.place)
	delete(j.byID, e.receipt.ID)
	if e.key != "" {
		delete(j.byKey, e.key)
	}
}
