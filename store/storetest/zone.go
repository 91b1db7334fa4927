package storetest

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

// testZone uses two zones whose calendars never agree: 25 hours apart.
func testZone(t *testing.T, empty Empty) {
	east, west := time.FixedZone("", 13*60*60), time.FixedZone("", -12*60*60)
	t.Run("a status changes at the centre's midnight", func(t *testing.T) {
		is := is.New(t)
		today := store.DateOf(time.Now().In(east))
		url := reference(t, empty, person{id: 1, branch: 14, district: "A", name: "Uno", generation: today})
		for zone, futures := range map[*time.Location]int{east: 0, west: 1} {
			s := open(t, store.Config{URL: url, Location: zone})
			kpis, err := s.KPIs(t.Context(), 14, today)
			is.NoErr(err)
			is.Equal(values(kpis, "A")["futuros"], futures)
		}
	})
	t.Run("a date is the same day in every zone", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty, person{id: 1, branch: 14, district: "A", name: "Uno", arrival: "2026-12-01", birth: "2000-12-01"})
		for _, zone := range []*time.Location{nil, east, west} {
			s := open(t, store.Config{URL: url, Location: zone})
			arrivals, err := s.Arrivals(t.Context(), window(14, "2026-12-01", 0))
			is.NoErr(err)
			is.Equal(arrivals[0].Arrival, day("2026-12-01"))
			birthdays, err := s.Birthdays(t.Context(), window(14, "2026-12-01", 0))
			is.NoErr(err)
			is.Equal(birthdays[0].Birthday, day("2026-12-01"))
		}
	})
}
