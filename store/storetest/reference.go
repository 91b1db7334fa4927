package storetest

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func testArrivals(t *testing.T, empty Empty) {
	arriving := func(id int, branch, district any, date string, short any) person {
		return person{id: id, kind: "Eld", branch: branch, district: district, name: "Alguien", generation: "2020-01-01", arrival: date, departure: "2030-01-01", short: short}
	}
	url := reference(t, empty,
		arriving(1, 14, "A", "2026-12-31", true),
		arriving(2, 14, "A", "2026-12-31", true),
		arriving(3, 14, "A", "2027-01-02", nil),
		arriving(4, 14, "B", "2026-12-31", false),
		arriving(5, 14, "C", "2026-12-30", nil),
		arriving(6, 14, "C", "2027-01-03", nil),
		arriving(7, 9, "A", "2026-12-31", nil),
		person{id: 8, branch: 14, district: "A", name: "Sin fecha"},
		person{id: 9, branch: 14, district: "D", name: "Presencial después", arrival: "2026-12-01", inPerson: "2027-01-01"},
		person{id: 10, branch: 14, district: "A", name: "Inactivo", arrival: "2026-12-31", inactive: true},
		person{id: 11, branch: 14, name: "Sin distrito", arrival: "2027-01-01"},
	)
	s := open(t, store.Config{URL: url})

	t.Run("both ends of a window over the end of a year are in", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Arrivals(t.Context(), window(14, "2026-12-31", 2))
		is.NoErr(err)
		type row struct {
			date, district, rdistrict string
			people, weeks             int
		}
		var rows []row
		for _, a := range got {
			is.Equal(a.Branch, 14)
			rows = append(rows, row{a.Arrival.String(), a.District, a.RDistrict, a.Missionaries, a.Weeks})
		}
		is.Equal(rows, []row{
			{"", "A", "14A", 1, 6},
			{"2026-12-31", "A", "14A", 2, 3},
			{"2026-12-31", "B", "14B", 1, 6},
			{"2027-01-01", "", "", 1, 6},
			{"2027-01-01", "D", "14D", 1, 6},
			{"2027-01-02", "A", "14A", 1, 6},
		})
	})
	t.Run("every branch is ordered by date and branch", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Arrivals(t.Context(), window(0, "2026-12-31", 0))
		is.NoErr(err)
		var branches []int
		for _, a := range got {
			branches = append(branches, a.Branch)
		}
		is.Equal(branches, []int{14, 9, 14, 14})
	})
	t.Run("an unknown branch is empty, not an error", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Arrivals(t.Context(), window(77, "2026-12-31", 180))
		is.NoErr(err)
		is.Equal(len(got), 0)
	})
}

// found are the birthdays by id; who has none is there with a zero date.
func found(t *testing.T, s *store.Store, w store.Window, status ...string) map[int]string {
	t.Helper()
	got, err := s.Birthdays(t.Context(), w, status...)
	is.New(t).NoErr(err)
	all := map[int]string{}
	var last store.Date
	for _, b := range got {
		is.New(t).True(last.Compare(b.Birthday) <= 0) // ordered
		last = b.Birthday
		all[b.ID] = b.Birthday.String()
	}
	return all
}

func testBirthdays(t *testing.T, empty Empty) {
	born := func(id int, date any) person {
		return person{id: id, kind: "Sis", branch: 14, district: "A", name: "Alguien", birth: date, generation: "2020-01-01", arrival: "2020-01-01"}
	}
	gone := born(9, "2000-01-01")
	gone.departure = "2020-02-01"
	url := reference(t, empty,
		born(1, "2005-12-31"), born(2, "2006-01-01"), born(3, "2004-02-29"), born(4, "2005-02-28"),
		born(5, "2005-03-01"), born(6, "2005-06-15"), born(7, nil), born(8, "2105-12-31"), gone)
	feb, mar := open(t, store.Config{URL: url}), open(t, store.Config{URL: url, Feb29: time.March})

	undated := func(m map[int]string) map[int]string { m[7], m[8] = "", ""; return m }

	for _, c := range []struct {
		outcome string
		store   *store.Store
		window  store.Window
		want    map[int]string
	}{
		{"one day is that day", feb, window(14, "2026-06-15", 0), map[int]string{6: "2026-06-15"}},
		{"the first day is in", feb, window(14, "2026-12-31", 0), map[int]string{1: "2026-12-31"}},
		{"the last day is in, over the end of a year", feb, window(14, "2026-12-30", 2), map[int]string{1: "2026-12-31", 2: "2027-01-01", 9: "2027-01-01"}},
		{"the day after the last is out", feb, window(14, "2026-12-30", 1), map[int]string{1: "2026-12-31"}},
		{"29 February is the 28th in a common year", feb, window(14, "2027-02-28", 0), map[int]string{3: "2027-02-28", 4: "2027-02-28"}},
		{"29 February is not 1 March by that rule", feb, window(14, "2027-03-01", 0), map[int]string{5: "2027-03-01"}},
		{"29 February is 1 March by the other rule", mar, window(14, "2027-03-01", 0), map[int]string{3: "2027-03-01", 5: "2027-03-01"}},
		{"29 February is not the 28th by the other rule", mar, window(14, "2027-02-28", 0), map[int]string{4: "2027-02-28"}},
		{"29 February is itself in a leap year", mar, window(14, "2028-02-29", 0), map[int]string{3: "2028-02-29"}},
		{"a past 29 February is next year's", feb, window(14, "2027-03-01", 365), map[int]string{
			1: "2027-12-31", 2: "2028-01-01", 3: "2028-02-29", 4: "2028-02-28", 5: "2027-03-01", 6: "2027-06-15", 9: "2028-01-01"}},
		{"another branch has its own", feb, window(9, "2026-01-01", 365), nil},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			if c.want == nil {
				is.New(t).Equal(len(found(t, c.store, c.window)), 0)
				return
			}
			is.New(t).Equal(found(t, c.store, c.window), undated(c.want))
		})
	}
	t.Run("only the wanted statuses are in", func(t *testing.T) {
		is := is.New(t)
		is.Equal(found(t, feb, window(14, "2027-01-01", 0), "Campo"), map[int]string{9: "2027-01-01"})
		is.Equal(found(t, feb, window(14, "2027-01-01", 0), "virtual", "ccm"), undated(map[int]string{2: "2027-01-01"}))
		is.Equal(found(t, feb, window(14, "2027-01-01", 0), ""), map[int]string{})
	})
	t.Run("the record is whole", func(t *testing.T) {
		is := is.New(t)
		got, err := feb.Birthdays(t.Context(), window(14, "2026-06-15", 0))
		is.NoErr(err)
		is.Equal(got[len(got)-1], store.Birthday{ID: 6, Branch: 14, District: "A", Treatment: "Hermana", Name: "Alguien",
			Birthday: day("2026-06-15"), Turning: 21, Status: "CCM", EmailMission: "m6@example.org"})
	})
}

func testDistricts(t *testing.T, empty Empty) {
	const past, future = "2020-01-01", "2120-01-01"
	url := reference(t, empty,
		person{id: 1, kind: "Eld", branch: 14, district: "A", name: "En el CCM", generation: past, arrival: "2020-01-05", short: true},
		person{id: 2, kind: "Sis", branch: 14, district: "A", name: "Virtual", generation: past, arrival: future, departure: "2120-02-01"},
		person{id: 3, kind: "Sis", branch: 14, district: "A", name: "Futura", generation: future, arrival: future},
		person{id: 4, kind: "Eld", branch: 14, district: "B", name: "En el campo", generation: past, arrival: past, departure: "2020-02-01", short: false},
		person{id: 5, branch: 14, district: "B", name: "Sin datos", generation: past},
		person{id: 6, kind: "Eld", branch: 9, district: "A", name: "De otra rama", generation: past},
	)
	s := open(t, store.Config{URL: url})

	t.Run("summaries hold dates and people of each district", func(t *testing.T) {
		is := is.New(t)
		got, err := s.BranchSummaries(t.Context(), 14)
		is.NoErr(err)
		is.Equal(got, []store.BranchSummary{
			{Branch: 14, District: "A", FirstGeneration: day(past), FirstArrival: day("2020-01-05"), LastDeparture: day("2120-02-01"), Missionaries: 3, Elders: 1, Sisters: 2},
			{Branch: 14, District: "B", FirstGeneration: day(past), FirstArrival: day(past), LastDeparture: day("2020-02-01"), Missionaries: 2, Elders: 1},
		})
		all, err := s.BranchSummaries(t.Context(), 0)
		is.NoErr(err)
		is.Equal(len(all), 3)
	})
	t.Run("figures count by status", func(t *testing.T) {
		is := is.New(t)
		got, err := s.KPIs(t.Context(), 14, day("2026-11-29")) // a Sunday
		is.NoErr(err)
		is.Equal(got[0], store.KPI{Branch: 14, District: "A", Metric: "total_missionaries", Value: 3, Unit: "misioneros", Week: day("2026-11-23")})
		is.Equal(values(got, "A"), map[string]int{"total_missionaries": 3, "en_ccm": 1, "virtuales": 1, "futuros": 1, "tres_semanas": 1})
		is.Equal(values(got, "B"), map[string]int{"total_missionaries": 2, "en_ccm": 1, "virtuales": 0, "futuros": 0, "tres_semanas": 0})
	})
}
