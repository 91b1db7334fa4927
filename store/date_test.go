package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func day(s string) store.Date {
	d, err := store.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func ExampleDate() {
	arrival, _ := store.ParseDate("2026-12-30")
	departure := arrival.AddDays(21)
	fmt.Println(departure, departure.Weekday(), departure.DaysSince(arrival))

	text, _ := json.Marshal(map[string]store.Date{"llegada": arrival, "salida": {}})
	fmt.Println(string(text))
	// Output:
	// 2027-01-20 Wednesday 21
	// {"llegada":"2026-12-30","salida":null}
}

func TestParseDate(t *testing.T) {
	t.Run("a day of the calendar is read", func(t *testing.T) {
		is.New(t).Equal(day("2028-02-29"), store.Date{Year: 2028, Month: time.February, Day: 29})
	})
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "29/02/2028", "2026-1-2", "2026-01-02 10:00:00"} {
		t.Run("no date: "+s, func(t *testing.T) {
			_, err := store.ParseDate(s)
			is.New(t).True(err != nil)
		})
	}
}

func TestDateArithmetic(t *testing.T) {
	is := is.New(t)
	is.Equal(day("2026-12-31").AddDays(1), day("2027-01-01"))
	is.Equal(day("2028-03-01").AddDays(-1), day("2028-02-29"))
	is.Equal(day("2027-01-01").DaysSince(day("2026-12-31")), 1)
	is.Equal(day("2026-12-31").DaysSince(day("2027-12-31")), -365)
	is.Equal(day("2026-12-31").Compare(day("2027-01-01")), -1)
	is.Equal(day("2026-12-31").Compare(day("2026-12-31")), 0)
	is.Equal(day("2027-01-01").Compare(store.Date{}), 1)
	is.Equal(day("2026-11-29").Monday(), day("2026-11-23")) // of a Sunday
	is.Equal(day("2026-11-30").Monday(), day("2026-11-30")) // of a Monday
	is.Equal(store.Date{}.AddDays(1), store.Date{})
}

func TestDateHasNoZone(t *testing.T) {
	is := is.New(t)
	west := time.FixedZone("", -11*60*60)
	evening := time.Date(2026, time.December, 1, 23, 30, 0, 0, west) // 2 December in UTC
	is.Equal(store.DateOf(evening), day("2026-12-01"))
	is.Equal(store.DateOf(day("2026-12-01").In(west)), day("2026-12-01"))
	chile, err := time.LoadLocation("America/Santiago")
	is.NoErr(err)
	spring := day("2026-09-06") // clocks go from 23:59 to 01:00
	is.Equal(store.DateOf(spring.In(chile)), spring)
	is.Equal(store.DateOf(spring.In(chile).Add(-time.Second)), day("2026-09-05"))
	var scanned store.Date
	is.NoErr(scanned.Scan(evening))
	is.Equal(scanned, day("2026-12-01"))
	value, err := day("2026-12-01").Value()
	is.NoErr(err)
	is.Equal(value, "2026-12-01")
}

func TestDateJSON(t *testing.T) {
	for text, want := range map[string]store.Date{`"2026-12-01"`: day("2026-12-01"), `null`: {}, `""`: {}} {
		is := is.New(t)
		got := day("2000-01-01")
		is.NoErr(json.Unmarshal([]byte(text), &got))
		is.Equal(got, want)
	}
	for _, text := range []string{`"1/12/2026"`, `20261201`, `{}`} {
		var d store.Date
		is.New(t).True(json.Unmarshal([]byte(text), &d) != nil)
	}
}

func TestDateScan(t *testing.T) {
	for _, c := range []struct {
		outcome string
		src     any
		want    store.Date
	}{
		{"NULL is zero", nil, store.Date{}},
		{"an empty text is zero", "", store.Date{}},
		{"MySQL's zero date is zero", []byte("0000-00-00"), store.Date{}},
		{"MySQL's zero time is zero", "0000-00-00 00:00:00", store.Date{}},
		{"the driver's zero time is zero", time.Time{}, store.Date{}},
		{"a DATE", []byte("2026-12-01"), day("2026-12-01")},
		{"a DATETIME", []byte("2026-12-01 23:59:59.999999"), day("2026-12-01")},
		{"ISO 8601", "2026-12-01T23:59:59Z", day("2026-12-01")},
		{"blanks around", " 2026-12-01 ", day("2026-12-01")},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			got := day("2000-01-01")
			is.NoErr(got.Scan(c.src))
			is.Equal(got, c.want)
		})
	}
	for _, src := range []any{"pronto", []byte("15/03/2000"), 20261201, true} {
		t.Run(fmt.Sprintf("%v is an error", src), func(t *testing.T) {
			var d store.Date
			is.New(t).True(d.Scan(src) != nil)
		})
	}
}
