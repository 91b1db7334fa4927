package ccm

import (
	"errors"
	"slices"
)

// Outcome is what the delivery came to: Delivered if every part arrived, else the
// first of Uncertain, Refused, Pending, Discarded that one of them is in.
func (r Receipt) Outcome() State {
	for _, s := range []State{Uncertain, Sending, Refused, Pending, Discarded} {
		if r.count(s) > 0 {
			if s == Sending { // whose write nobody will end
				return Uncertain
			}
			return s
		}
	}
	return Delivered
}

// delivered counts the parts that arrived.
func (r Receipt) delivered() int { return r.count(Delivered) }

// next is the first part that has not arrived; len(Parts) if all have.
func (r Receipt) next() int {
	if i := slices.IndexFunc(r.Parts, func(p PartResult) bool { return p.State != Delivered }); i >= 0 {
		return i
	}
	return len(r.Parts)
}

// todo lists the parts that may be sent by itself, or because somebody asked:
// those that surely have not arrived.
func (r Receipt) todo() []int {
	var all []int
	for i, part := range r.Parts {
		if part.State == Pending || part.State == Refused {
			all = append(all, i)
		}
	}
	return all
}

// finished reports whether nothing is left that may be sent by itself.
func (r Receipt) finished() bool {
	return r.delivered() == len(r.Parts) || r.uncertain()+r.count(Discarded) > 0
}

// untouched reports whether surely no part arrived.
func (r Receipt) untouched() bool { return r.delivered()+r.uncertain() == 0 }

// uncertain counts the parts that may have arrived. One whose write never ended
// is one of them.
func (r Receipt) uncertain() int { return r.count(Uncertain) + r.count(Sending) }

func (r Receipt) count(s State) int {
	n := 0
	for _, part := range r.Parts {
		if part.State == s {
			n++
		}
	}
	return n
}

// failure is why not every part arrived, nil if they did. It is made of the
// parts alone, so that a replay fails as the first time.
func (r Receipt) failure() error {
	next, sent := r.next(), r.delivered()
	if next == len(r.Parts) {
		return nil
	}
	failure := r.Parts[next].failure()
	if sent == 0 {
		return failure
	}
	partial := fail(failure.Code, "Se entregaron %d de %d partes. %s", sent, len(r.Parts), failure.Message)
	partial.Err = failure.Err
	return partial
}

// failure is why the part did not arrive.
func (p PartResult) failure() *Error {
	known, ok := errors.AsType[*Error](p.Err)
	switch {
	case p.State == Discarded:
		code := CodeTelegramHTTP
		if ok {
			code = known.Code
		}
		return fail(code, "Una persona descartó lo que faltaba de este envío: no se repite.")
	case ok:
		return known
	case p.State == Uncertain, p.State == Sending:
		return errUnconfirmed
	}
	return errUnsent
}
