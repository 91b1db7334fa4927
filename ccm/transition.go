package ccm

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What follows is for who writes a [Journal]: the steps that a delivery may
// take, so that every journal takes the same ones.

// KeyLifetime is how long a key is kept after its delivery ended.
const KeyLifetime = 24 * time.Hour

// Finished reports whether nothing is left that may be sent by itself.
func (r Receipt) Finished() bool { return r.finished() }

// Untouched reports whether surely no part ever arrived, and nobody has decided
// about one: its key may be freed.
func (r Receipt) Untouched() bool { return r.fresh() }

// Writing reports whether a part is being written: a person cannot discard that.
func (r Receipt) Writing() bool { return r.count(Sending) > 0 }

// Abandon is what becomes of the parts when nobody holds them any more: a write
// whose end is unknown is Uncertain.
func (r *Receipt) Abandon() {
	for i := range r.Parts {
		if r.Parts[i].State == Sending {
			r.Parts[i].State = Uncertain
		}
	}
}

// Note makes next of a part, as [Journal.Mark] is told; held says whether who
// tells it holds the claim. The text, and that it is doubtful, stay. An error is
// of a part that may not be written now: it is the only thing that stands between
// two writers.
func (p *PartResult) Note(next PartResult, held bool) error {
	if next.State == Sending {
		switch {
		case !held:
			return ErrClaimLost
		case p.State != Pending && p.State != Refused:
			return fail(CodeDeliveryBusy, "Una parte de este envío está «%s» y no se puede escribir otra vez.", p.State)
		}
	}
	if !p.learns(next.State, held) {
		return nil
	}
	next.Part, next.Doubtful = p.Part, p.Doubtful || next.Doubtful
	*p = next
	return nil
}

// learns reports whether a new state says more than the present one. What was
// acknowledged stays so. Of who lost the claim only that counts: another may have
// written the part since, so that to know of one write that it failed says nothing.
func (p *PartResult) learns(next State, held bool) bool {
	return p.State != Delivered && (held || next == Delivered)
}

// Reopen is [Journal.Reopen] on a record that nobody holds.
func (r *Record) Reopen(who string, at time.Time) error {
	switch {
	case r.delivered() == len(r.Parts):
		return ErrDeliverySent
	case r.Purged:
		return ErrDeliveryPurged
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		switch p.State {
		case Uncertain, Sending:
			p.State, p.Doubtful = Pending, true
		case Refused, Discarded:
			p.State = Pending
		}
	}
	r.Decisions = append(r.Decisions, Decision{Resend, who, at})
	return nil
}

// Discard is [Journal.Discard] on a record of which nothing is being written by who
// holds it; changed says whether there was anything left to discard.
func (r *Record) Discard(who string, at time.Time) (changed bool, err error) {
	if r.delivered() == len(r.Parts) {
		return false, ErrDeliverySent
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		switch p.State {
		case Delivered, Discarded:
			continue
		case Uncertain, Sending:
			p.Doubtful = true // should it be sent again after all
		}
		p.State, changed = Discarded, true
	}
	if changed {
		r.Decisions = append(r.Decisions, Decision{Discard, who, at})
	}
	return changed, nil
}

// Size is how many records a page has: Limit, DefaultPage where it is zero, and
// never more than MaxPage.
func (f Filter) Size() int { return min(max(cmp.Or(f.Limit, DefaultPage), 1), MaxPage) }

// Cursor is the [Filter].Cursor of the page that begins behind the record.
func (r Record) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", r.BeganAt.UnixMicro(), r.ID))
}

// After reads the Cursor: the delivery that the page begins behind; "" for the
// first page. Its error is [ErrBadCursor].
func (f Filter) After() (began time.Time, id string, err error) {
	if f.Cursor == "" {
		return time.Time{}, "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	micros, id, ok := strings.Cut(string(text), " ")
	n, numeric := strconv.ParseInt(micros, 10, 64)
	began = time.UnixMicro(n).UTC()
	if err != nil || !ok || id == "" || numeric != nil || began.Year() < 1 || began.Year() > 9999 {
		return time.Time{}, "", ErrBadCursor
	}
	return began, id, nil
}

// takes reports whether the filter lets a record through.
func (f Filter) takes(r Record) bool {
	return (f.State == "" || f.State == r.State) &&
		(f.Report == "" || f.Report == r.Report) &&
		(f.Chat == "" || f.Chat == r.To.Chat) &&
		(f.From.IsZero() || !r.BeganAt.Before(f.From)) &&
		(f.To.IsZero() || r.BeganAt.Before(f.To))
}

// older orders records as lists do, the newest first.
func older(a, b Record) int {
	return cmp.Or(b.BeganAt.Compare(a.BeganAt), strings.Compare(b.ID, a.ID))
}

// withoutTexts is the record as a list shows it.
func (r Record) withoutTexts() Record {
	r.Request, r.Parts = nil, slices.Clone(r.Parts)
	for i := range r.Parts {
		r.Parts[i].Part.HTML, r.Parts[i].Part.Plain, r.Parts[i].Sent.Raw = "", "", nil
	}
	return r
}
