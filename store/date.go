package store

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Date is a civil date: a day of the calendar, of no zone. The zero Date stands
// for "no date" and is JSON null and SQL NULL.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day that t shows in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads "2006-01-02". The day must exist: 2026-02-29 is an error.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("store: %q is no date of the form 2006-01-02", s)
	}
	return DateOf(t), nil
}

// IsZero reports whether d is the zero Date, which stands for no date.
func (d Date) IsZero() bool { return d == Date{} }

// String returns "2006-01-02", and "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// AddDays returns the date n days later, earlier if n is negative. No date stays
// no date.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// DaysSince returns how many days d is after o; negative if it is before.
func (d Date) DaysSince(o Date) int {
	const day = 24 * 60 * 60
	return int((d.In(time.UTC).Unix() - o.In(time.UTC).Unix()) / day)
}

// Compare is -1 if d is before o, 0 if they are the same day, 1 if it is after.
func (d Date) Compare(o Date) int {
	switch n := d.DaysSince(o); {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.In(time.UTC).Weekday() }

// In returns the instant at which d begins in loc: midnight, or one o'clock where
// clocks skip midnight that day.
func (d Date) In(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	if !d.IsZero() && DateOf(t) != d {
		t = time.Date(d.Year, d.Month, d.Day, 1, 0, 0, 0, loc)
	}
	return t
}

// Monday returns the Monday of the week of d.
func (d Date) Monday() Date {
	return d.AddDays(-(int(d.Weekday()) + 6) % 7)
}

// MarshalText returns [Date.String].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is [ParseDate]; an empty text is the zero Date.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// MarshalJSON returns "2006-01-02", and null for the zero Date.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads what MarshalJSON writes; "" is the zero Date too.
func (d *Date) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*d = Date{}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("store: a date is a string of the form 2006-01-02: %w", err)
	}
	return d.UnmarshalText([]byte(text))
}

// Scan reads a DATE, DATETIME or text column, with the driver's parseTime or
// without. Of a time of day only the date counts, as it is written: no zone is
// applied. NULL, an empty text and MySQL's 0000-00-00 are the zero Date.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		*d = Date{}
		if !v.IsZero() {
			*d = DateOf(v)
		}
	case []byte:
		return d.scanText(string(v))
	case string:
		return d.scanText(v)
	default:
		return fmt.Errorf("store: a %T cannot be read as a date", src)
	}
	return nil
}

func (d *Date) scanText(s string) error {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	s, _, _ = strings.Cut(s, "T")
	if s == "0000-00-00" {
		s = ""
	}
	return d.UnmarshalText([]byte(s))
}

// Value is the text "2006-01-02", so that no zone can shift the day on its way
// to the database; NULL for the zero Date.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}
