package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Birthdays returns the missionaries whose next birthday, on or after w.From, is
// within w, ordered by that day, district and name. With status, only people of
// one of these, in any case, count. Who has no date of birth, or one that is not
// in the past, comes first, with the zero Date for a birthday.
func (s *Store) Birthdays(ctx context.Context, w Window, status ...string) ([]Birthday, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(status, func(s string) bool { return strings.Contains(s, ",") }) {
		return nil, errors.New("store: a status holds a comma: give each status as an argument of its own")
	}
	r := w.monthDays()
	args := []any{
		w.Branch, w.Branch, len(status), strings.Join(status, ","),
		r[0].first, r[0].last, r[1].first, r[1].last, w.From,
	}
	people, err := read(ctx, s, "birthdays", birthdaysSQL, args, (*person).columns)
	if err != nil {
		return nil, err
	}
	return w.birthdays(people, s.cfg.Feb29), nil
}

// person is a row of the query.
type person struct {
	Birthday
	kind string // Tipo: Eld, Sis
	born Date
}

func (p *person) columns() []any {
	return []any{
		number(&p.ID), number(&p.Branch), text(&p.District), text(&p.kind), text(&p.Treatment), text(&p.Name),
		date(&p.born), text(&p.Status), text(&p.EmailMission), text(&p.EmailPersonal), flag(&p.ThreeWeeks),
	}
}

// birthdays keeps who has a birthday in the window, in order.
func (w Window) birthdays(people []person, feb29 time.Month) []Birthday {
	found := make([]Birthday, 0, len(people))
	for _, p := range people {
		b := p.Birthday
		if b.Treatment == "" {
			b.Treatment = Treatment(p.kind)
		}
		if next := nextBirthday(p.born, w.From, feb29); next.Year > p.born.Year && !p.born.IsZero() {
			if next.Compare(w.last()) > 0 {
				continue
			}
			b.Birthday, b.Turning = next, next.Year-p.born.Year
		}
		found = append(found, b)
	}
	slices.SortStableFunc(found, func(a, b Birthday) int { return a.Birthday.Compare(b.Birthday) })
	return found
}

// Treatment is how one is addressed whose Tratamiento is missing, by Tipo: "Elder",
// "Hermana", or "" where that does not say.
func Treatment(kind string) string {
	switch kind = strings.ToLower(kind); {
	case strings.HasPrefix(kind, "eld"):
		return "Elder"
	case strings.HasPrefix(kind, "sis"), strings.HasPrefix(kind, "her"):
		return "Hermana"
	}
	return ""
}

// nextBirthday is the first birthday on or after from of who was born on born.
func nextBirthday(born, from Date, feb29 time.Month) Date {
	next := birthdayIn(from.Year, born, feb29)
	if next.Compare(from) < 0 {
		next = birthdayIn(from.Year+1, born, feb29)
	}
	return next
}

func birthdayIn(year int, born Date, feb29 time.Month) Date {
	if born.Month != time.February || born.Day != 29 || isLeap(year) {
		return Date{year, born.Month, born.Day}
	}
	if feb29 == time.March {
		return Date{year, time.March, 1}
	}
	return Date{year, time.February, 28}
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// monthDays is a range of days of any year, as month * 100 + day.
type monthDays struct{ first, last int }

// monthDays returns two ranges that hold the window and a day more at each end,
// so that 29 February is in wherever it may be celebrated. Both are the same
// unless the window crosses the end of a year.
func (w Window) monthDays() [2]monthDays {
	const first, last = 101, 1231
	from, to := w.From.AddDays(-1), w.last().AddDays(1)
	a, b := int(from.Month)*100+from.Day, int(to.Month)*100+to.Day
	switch {
	case to.DaysSince(from) >= 365:
		return [2]monthDays{{first, last}, {first, last}}
	case from.Year != to.Year:
		return [2]monthDays{{a, last}, {first, b}}
	}
	return [2]monthDays{{a, b}, {a, b}}
}
