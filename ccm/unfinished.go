package ccm

import (
	"maps"
	"slices"
	"sync"
)

// unfinished are deliveries that this process claims and could not finish: the
// next Recover goes on with them. Another process does once the claim has run out.
type unfinished struct {
	mu   sync.Mutex
	byID map[string]Record
}

// leave leaves a delivery to the next Recover.
func (u *unfinished) leave(r Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byID == nil {
		u.byID = map[string]Record{}
	}
	r.Parts = slices.Clone(r.Parts) // the others are its caller's
	u.byID[r.ID] = r
}

// take takes all that was left, the oldest first.
func (u *unfinished) take() []Record {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := slices.SortedFunc(maps.Values(u.byID), func(a, b Record) int { return a.BeganAt.Compare(b.BeganAt) })
	u.byID = nil
	return all
}
