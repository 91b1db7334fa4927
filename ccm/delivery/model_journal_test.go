package delivery_test

import (
	"github.com/ccmwf/ccm/ccm"
)

// What follows are the statements of this package, each of them whole.

func (w *world) live(r *modelRow) bool { return r.owner != 0 && w.now < r.lease }

func (w *world) claim(r *modelRow, owner int, confirmed bool) {
	r.owner, r.lease, r.step, r.confirmed = owner, w.now+modelLease, 0, confirmed
	w.note("%d has %s", owner, r.ID)
}

// begin is Begin, with the Resume in it.
func (w *world) begin(owner int) (*modelRow, error) {
	for _, r := range w.rows {
		if !w.keyed || !r.keyed {
			continue
		}
		if w.live(r) {
			return nil, ccm.ErrKeyBusy
		}
		w.abandon(r)
		if r.Finished() {
			return nil, nil
		}
		w.claim(r, owner, false)
		return r, nil
	}
	r := &modelRow{keyed: true, accepted: make([]int, w.parts)}
	r.ID, r.Parts = modelID(owner), parted(w.parts)
	w.rows = append(w.rows, r)
	w.claim(r, owner, false)
	return r, nil
}

// abandon is what becomes of a row whose holder is gone.
func (w *world) abandon(r *modelRow) {
	if w.order == retryDoubts {
		for i := range r.Parts {
			if r.Parts[i].State == ccm.Sending {
				r.Parts[i].State = ccm.Pending
			}
		}
	}
	r.Abandon()
}

// before and after are Mark.
func (w *world) before(r *modelRow, owner, step, part int) error {
	if w.order == markLast {
		return nil
	}
	if r.owner == owner && !w.isNext(r, step) {
		return ccm.ErrClaimLost
	}
	next := ccm.PartResult{State: ccm.Sending}
	if err := r.Parts[part].Note(next, r.owner == owner); err != nil {
		return err
	}
	if w.order == markFirst {
		r.Parts[part].State = ccm.Delivered
	}
	r.lease, r.confirmed = w.now+modelLease, true
	w.note("%d begins part %d", owner, part)
	return nil
}

func (w *world) after(r *modelRow, owner, step, part int, result ccm.State) {
	held := r.owner == owner
	switch {
	case held && !w.isNext(r, step):
		return
	case !held && !w.live(r):
		w.abandon(r)
	}
	p := &r.Parts[part]
	if w.order == trustAnyResult && !held && p.State == ccm.Uncertain && result == ccm.Refused {
		p.State = result
	}
	_ = p.Note(ccm.PartResult{State: result}, held)
	w.note("%d notes part %d: %s, now %s", owner, part, result, p.State)
}

// isNext reports whether a statement of the owner has not been overtaken.
func (w *world) isNext(r *modelRow, step int) bool {
	if w.order == forgetSteps {
		return true
	}
	next := step > r.step
	r.step = max(r.step, step)
	return next
}

func (w *world) renew(r *modelRow, owner int) {
	if r.owner == owner {
		r.lease, r.confirmed = w.now+modelLease, true
	}
}

func (w *world) end(r *modelRow, owner int) {
	if r.owner != owner {
		return
	}
	r.Abandon()
	r.keyed = r.keyed && !r.Untouched()
	r.owner = 0
	w.note("%d ends", owner)
}

// recoverOne is Recover.
func (w *world) recoverOne(owner int) *modelRow {
	for _, r := range w.rows {
		if r.owner == 0 || w.live(r) {
			continue
		}
		w.abandon(r)
		if r.confirmed || w.order == trustAnyClaim {
			w.claim(r, owner, true)
			return r
		}
		r.owner = 0 // for a person, or its key
		w.note("nobody goes on with %s", r.ID)
	}
	return nil
}
