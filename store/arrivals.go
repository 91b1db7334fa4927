package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// Weeks that a missionary stays at the centre.
const (
	shortStay = 3 // who speaks Spanish already
	longStay  = 6
)

// Arrivals returns the districts that arrive within w, ordered by date, branch
// and district: one record for people of the same branch, district, arrival and
// departure. People of the branch whose arrival is NULL or no date come first,
// with the zero Date.
func (s *Store) Arrivals(ctx context.Context, w Window) ([]Arrival, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	args := []any{w.Branch, w.Branch, w.From, w.last()}
	found, err := read(ctx, s, "arrivals", arrivalsSQL, args, func(a *Arrival) []any {
		return []any{
			number(&a.Branch), text(&a.District), text(&a.RDistrict), date(&a.Arrival), date(&a.Departure),
			number(&a.Missionaries), weeks(&a.Weeks), text(&a.Status),
		}
	})
	for i := range found {
		found[i].nameDistrict()
	}
	return found, err
}

// weeks reads whether somebody is in the short programme.
func weeks(to *int) scanFunc {
	return func(src any) {
		var short bool
		flag(&short)(src)
		*to = longStay
		if short {
			*to = shortStay
		}
	}
}

// nameDistrict fills in the branch's own name for the district, as in 14A.
func (a *Arrival) nameDistrict() {
	if a.RDistrict == "" && a.Branch != 0 && a.District != "" {
		a.RDistrict = strconv.Itoa(a.Branch) + a.District
	}
}

// check says what is wrong with a window, before anything is asked.
func (w Window) check() error {
	switch {
	case w.Branch < 0:
		return fmt.Errorf("store: Window.Branch is %d: it must be 0 (every branch) or more", w.Branch)
	case w.From.IsZero():
		return errors.New("store: Window.From is the zero Date: it must be the first day to look at")
	case w.Days < 0:
		return fmt.Errorf("store: Window.Days is %d: it must be 0 (one day) or more", w.Days)
	}
	return nil
}

// last is the last day of the window, which is in it.
func (w Window) last() Date { return w.From.AddDays(w.Days) }
