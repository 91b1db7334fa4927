package ccm_test

import (
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
)

// ask asks every dataset in turn for one of the rows of db.
type ask func(*ccm.Client, *testing.T) (records, skipped int, err error)

func askArrivals(c *ccm.Client, t *testing.T) (int, int, error) {
	d, err := c.Arrivals(t.Context(), ccm.Query{})
	return d.Meta.RecordCount, d.Meta.RecordsSkipped, err
}

func askBirthdays(c *ccm.Client, t *testing.T) (int, int, error) {
	d, err := c.Birthdays(t.Context(), ccm.Query{})
	return d.Meta.RecordCount, d.Meta.RecordsSkipped, err
}

func askSummaries(c *ccm.Client, t *testing.T) (int, int, error) {
	d, err := c.BranchSummary(t.Context(), ccm.Query{})
	return d.Meta.RecordCount, d.Meta.RecordsSkipped, err
}

func askKPIs(c *ccm.Client, t *testing.T) (int, int, error) {
	d, err := c.KPIs(t.Context(), ccm.Query{})
	return d.Meta.RecordCount, d.Meta.RecordsSkipped, err
}

func TestDataObeyTheRules(t *testing.T) {
	a, b := arrival(t, "A", "2026-12-01", 8), arrival(t, "B", "2026-12-01", 8)
	later := a
	later.Departure = day(t, "2026-12-22")
	crowded, fewer := a, a
	crowded.Missionaries, fewer.Missionaries = 201, -1
	full := a
	full.Missionaries = 200
	p := birthday(t, 1, "2026-12-01")
	nameless := p
	nameless.ID, nameless.Name = 2, ""
	unborn := ccm.Birthday{ID: 3, Name: "Persona Secreta"}
	sum := ccm.BranchSummary{Branch: 14, District: "A", Missionaries: 500, Elders: 400, Sisters: 100}
	over, under := sum, sum
	over.Missionaries, under.Sisters = 501, -1
	kpi := ccm.KPI{Branch: 14, District: "A", Metric: "en_ccm", Value: 500}
	kpi2, wrong := kpi, kpi
	kpi2.Metric, wrong.Value = "futuros", 501

	for name, c := range map[string]struct {
		db             *database
		ask            ask
		records, holes int
		code           ccm.Code
	}{
		"no arrivals is an answer":              {&database{}, askArrivals, 0, 0, ""},
		"no birthdays is an answer":             {&database{}, askBirthdays, 0, 0, ""},
		"no district in a summary is not":       {&database{}, askSummaries, 0, 0, ccm.CodeMissingRows},
		"nor among the figures":                 {&database{}, askKPIs, 0, 0, ccm.CodeMissingRows},
		"an arrival without a branch is a hole": {&database{arrivals: []ccm.Arrival{a, {District: "C", Arrival: a.Arrival}}}, askArrivals, 1, 1, ""},
		"without a district too":                {&database{arrivals: []ccm.Arrival{a, {Branch: 14, Arrival: a.Arrival}}}, askArrivals, 1, 1, ""},
		"without a date too":                    {&database{arrivals: []ccm.Arrival{{Branch: 14, District: "C"}, a, b}}, askArrivals, 2, 1, ""},
		"a birthday without a name is a hole":   {&database{birthdays: []ccm.Birthday{nameless, p}}, askBirthdays, 1, 1, ""},
		"without a date of birth too":           {&database{birthdays: []ccm.Birthday{unborn, p}}, askBirthdays, 1, 1, ""},
		"nothing but holes is an error":         {&database{birthdays: []ccm.Birthday{nameless, unborn}}, askBirthdays, 0, 0, ccm.CodeMissingFields},
		"in a summary too":                      {&database{summaries: []ccm.BranchSummary{{Branch: 14}}}, askSummaries, 0, 0, ccm.CodeMissingFields},
		"two departures are two arrivals":       {&database{arrivals: []ccm.Arrival{a, later}}, askArrivals, 2, 0, ""},
		"one arrival twice is an error":         {&database{arrivals: []ccm.Arrival{a, b, a}}, askArrivals, 0, 0, ccm.CodeDuplicateRecords},
		"a missionary twice too":                {&database{birthdays: []ccm.Birthday{p, p}}, askBirthdays, 0, 0, ccm.CodeDuplicateRecords},
		"a district twice too":                  {&database{summaries: []ccm.BranchSummary{sum, sum}}, askSummaries, 0, 0, ccm.CodeDuplicateRecords},
		"a figure twice too":                    {&database{kpis: []ccm.KPI{kpi, kpi2, kpi}}, askKPIs, 0, 0, ccm.CodeDuplicateRecords},
		"200 may arrive at once":                {&database{arrivals: []ccm.Arrival{full}}, askArrivals, 1, 0, ""},
		"201 may not":                           {&database{arrivals: []ccm.Arrival{crowded}}, askArrivals, 0, 0, ccm.CodeInvalidCount},
		"nor may fewer than none":               {&database{arrivals: []ccm.Arrival{fewer}}, askArrivals, 0, 0, ccm.CodeInvalidCount},
		"a district may have 500":               {&database{summaries: []ccm.BranchSummary{sum}}, askSummaries, 1, 0, ""},
		"but not 501":                           {&database{summaries: []ccm.BranchSummary{over}}, askSummaries, 0, 0, ccm.CodeInvalidTotal},
		"nor fewer than no sisters":             {&database{summaries: []ccm.BranchSummary{under}}, askSummaries, 0, 0, ccm.CodeInvalidTotal},
		"figures may be 500":                    {&database{kpis: []ccm.KPI{kpi, kpi2}}, askKPIs, 2, 0, ""},
		"but not more":                          {&database{kpis: []ccm.KPI{wrong}}, askKPIs, 0, 0, ccm.CodeInvalidKPI},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			records, holes, err := c.ask(client(t, ccm.Config{Branch: 14}, c.db), t)
			is.Equal(ccm.CodeOf(err), c.code)
			if c.code == "" {
				is.Equal(records, c.records)
				is.Equal(holes, c.holes)
			}
		})
	}
}

// TestBrokenDataAreNotHidden: nothing stands in for an answer that breaks the
// rules; the database is there, and wrong.
func TestBrokenDataAreNotHidden(t *testing.T) {
	is := is.New(t)
	db := &database{summaries: []ccm.BranchSummary{{Branch: 14, District: "A", Missionaries: 3}}}
	c := client(t, ccm.Config{Branch: 14}, db)
	_, err := c.BranchSummary(t.Context(), ccm.Query{})
	is.NoErr(err)
	db.summaries = nil
	_, err = c.BranchSummary(t.Context(), ccm.Query{Refresh: true})
	is.Equal(ccm.CodeOf(err), ccm.CodeMissingRows)
}
