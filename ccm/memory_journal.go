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
	// memoryJournalSize is how many ended deliveries the journal in memory
	// keeps, for a day; with more of them the oldest are forgotten, key and all.
	memoryJournalSize = 4096
	// memoryJournalBytes bounds the texts of what it keeps.
	memoryJournalBytes = 16 << 20
)

// memoryJournal is the Journal of one process: with it a claim ends, too, so
// that there is never anything to recover.
type memoryJournal struct {
	now  func() time.Time
	size int

	mu    sync.Mutex
	byID  map[string]*memoryEntry
	byKey map[string]*memoryEntry
	ended list.List // of *memoryEntry: kept and not claimed, the longest ago first
	bytes int       // of what is in ended
	begun time.Time // the last BeganAt
}

type memoryEntry struct {
	record      Record
	fingerprint string
	keyed       bool          // it is in byKey
	place       *list.Element // in ended; nil while it is claimed
}

func newMemoryJournal(now func() time.Time, size int) *memoryJournal {
	return &memoryJournal{now: now, size: size, byID: map[string]*memoryEntry{}, byKey: map[string]*memoryEntry{}}
}

func (j *memoryJournal) Resume(_ context.Context, key, fingerprint string) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.resume(key, fingerprint)
}

func (j *memoryJournal) resume(key, fingerprint string) (Record, error) {
	j.forget()
	e := j.byKey[key]
	switch {
	case key == "" || e == nil:
		return Record{}, nil
	case e.fingerprint != fingerprint:
		return Record{}, ErrKeyReused
	case e.place == nil:
		return Record{}, ErrKeyBusy
	case e.record.finished():
		r := e.copy()
		r.Replayed = true
		return r, nil
	}
	j.claim(e)
	return e.copy(), nil
}

func (j *memoryJournal) Begin(_ context.Context, d Delivery) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if d.ID != "" {
		return j.replace(d)
	}
	if r, err := j.resume(d.Key, d.Fingerprint); err != nil || r.ID != "" {
		return r, err
	}
	e := &memoryEntry{fingerprint: d.Fingerprint, keyed: d.Key != "", record: Record{
		Receipt: Receipt{ID: rand.Text(), Parts: pendingParts(d.Parts), Meta: d.Meta},
		Key:     d.Key, Report: d.Report, Request: d.Request, To: d.To,
		State: Sending, BeganAt: j.beginning(),
	}}
	j.byID[e.record.ID] = e
	if e.keyed {
		j.byKey[d.Key] = e
	}
	return e.copy(), nil
}

// replace gives a claimed delivery of which nothing went out other parts.
func (j *memoryJournal) replace(d Delivery) (Record, error) {
	e := j.byID[d.ID]
	if e == nil || e.place != nil || !e.record.Untouched() {
		return Record{}, ErrClaimLost
	}
	e.record.Parts, e.record.Meta = pendingParts(d.Parts), d.Meta
	return e.copy(), nil
}

func (j *memoryJournal) Mark(_ context.Context, id string, part int, r PartResult) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.byID[id]
	if e == nil || part < 0 || part >= len(e.record.Parts) {
		return fmt.Errorf("ccm: the journal has no part %d of delivery %q", part, id)
	}
	held := e.place == nil
	err := e.record.Parts[part].Note(r, held)
	if !held {
		e.record.State = e.record.Outcome()
	}
	return err
}

func (j *memoryJournal) End(_ context.Context, id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.byID[id]
	if e == nil || e.place != nil {
		return nil
	}
	e.record.Abandon()
	if e.record.Untouched() {
		j.free(e)
	}
	j.release(e)
	j.forget()
	return nil
}

func (j *memoryJournal) Recover(context.Context) (Record, error) { return Record{}, nil }

func (j *memoryJournal) List(_ context.Context, f Filter) (Page, error) {
	began, id, err := f.After()
	if err != nil {
		return Page{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget()
	var found []Record
	for _, e := range j.byID {
		if r := e.record; f.takes(r) && (id == "" || older(Record{BeganAt: began, Receipt: Receipt{ID: id}}, r) < 0) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, older)
	page := Page{Records: []Record{}}
	for _, r := range found[:min(len(found), f.Size())] {
		page.Records = append(page.Records, r.withoutTexts())
	}
	if n := len(page.Records); n < len(found) {
		page.Next = page.Records[n-1].Cursor()
	}
	return page, nil
}

func (j *memoryJournal) Find(_ context.Context, id string) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget()
	e := j.byID[id]
	if e == nil {
		return Record{}, ErrUnknownDelivery
	}
	return e.copy(), nil
}

func (j *memoryJournal) Reopen(_ context.Context, id, who string) (Record, error) {
	return j.decide(id, func(e *memoryEntry) error {
		if e.place == nil {
			return ErrDeliveryBusy
		}
		if err := e.record.Reopen(who, j.moment()); err != nil {
			return err
		}
		j.claim(e)
		return nil
	})
}

func (j *memoryJournal) Discard(_ context.Context, id, who string) (Record, error) {
	return j.decide(id, func(e *memoryEntry) error {
		if e.place == nil && e.record.Writing() {
			return ErrDeliveryBusy
		}
		if _, err := e.record.Discard(who, j.moment()); err != nil {
			return err
		}
		if e.place == nil {
			j.release(e)
		}
		e.record.State = e.record.Outcome()
		return nil
	})
}

// decide lets a person decide about a delivery.
func (j *memoryJournal) decide(id string, how func(*memoryEntry) error) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget()
	e := j.byID[id]
	if e == nil {
		return Record{}, ErrUnknownDelivery
	}
	if err := how(e); err != nil {
		return Record{}, err
	}
	return e.copy(), nil
}

// moment is now as a list can tell it.
func (j *memoryJournal) moment() time.Time { return j.now().UTC().Truncate(time.Microsecond) }

// beginning is a moment of its own, so that nothing new comes between the pages
// of a list.
func (j *memoryJournal) beginning() time.Time {
	at := j.moment()
	if !at.After(j.begun) {
		at = j.begun.Add(time.Microsecond)
	}
	j.begun = at
	return at
}

// claim takes an ended delivery; release ends one that is claimed.
func (j *memoryJournal) claim(e *memoryEntry) {
	j.bytes -= e.record.bytes()
	j.ended.Remove(e.place)
	e.place = nil
	e.record.State, e.record.EndedAt = Sending, time.Time{}
}

func (j *memoryJournal) release(e *memoryEntry) {
	e.record.State, e.record.EndedAt = e.record.Outcome(), j.moment()
	e.place = j.ended.PushBack(e)
	j.bytes += e.record.bytes()
}

// forget drops what is too old or too much.
func (j *memoryJournal) forget() {
	for first := j.ended.Front(); first != nil; first = j.ended.Front() {
		e := first.Value.(*memoryEntry)
		if j.ended.Len() <= j.size && j.bytes <= memoryJournalBytes && j.now().Sub(e.record.EndedAt) < KeyLifetime {
			return
		}
		j.free(e)
		j.bytes -= e.record.bytes()
		j.ended.Remove(e.place)
		delete(j.byID, e.record.ID)
	}
}

// free lets the key of a delivery be used anew.
func (j *memoryJournal) free(e *memoryEntry) {
	if e.keyed {
		delete(j.byKey, e.record.Key)
		e.keyed = false
	}
}

// copy is the record as it is now, for a caller to keep.
func (e *memoryEntry) copy() Record {
	r := e.record
	r.Parts, r.Decisions = slices.Clone(r.Parts), slices.Clone(r.Decisions)
	return r
}

// bytes is about what a record takes.
func (r Record) bytes() int {
	n := len(r.Request)
	for _, p := range r.Parts {
		n += len(p.Part.HTML) + len(p.Part.Plain) + 2*len(p.Part.HTML) // Telegram's answer holds it again, escaped
	}
	return n
}
