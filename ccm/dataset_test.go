package ccm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
)

func TestTodayIsTheDayAtTheCentre(t *testing.T) {
	kiribati, err := time.LoadLocation("Pacific/Kiritimati")
	is.New(t).NoErr(err)
	for name, c := range map[string]struct {
		now  time.Time
		want string
	}{
		"a second before midnight":          {at(t, "2026-11-24 23:59:59"), "2026-11-24"},
		"at midnight":                       {at(t, "2026-11-25 00:00:00"), "2026-11-25"},
		"the last second of the year":       {at(t, "2026-12-31 23:59:59"), "2026-12-31"},
		"29 February":                       {at(t, "2028-02-29 00:00:00"), "2028-02-29"},
		"a host where it is tomorrow":       {at(t, "2026-11-24 12:00:00").In(kiribati), "2026-11-24"},
		"a host in UTC, where it is so too": {time.Date(2026, 11, 25, 5, 59, 0, 0, time.UTC), "2026-11-24"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			db := &database{}
			_, err := client(t, ccm.Config{Now: (&clock{now: c.now}).Now}, db).Arrivals(t.Context(), ccm.Query{Branch: 14})
			is.NoErr(err)
			is.Equal(db.windows, []store.Window{{Branch: 14, From: day(t, c.want), Days: 60}})
		})
	}
}

func TestQueryIsCheckedBeforeAnythingIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  ccm.Config
		ask  func(*ccm.Client, ccm.Query) error
		q    ccm.Query
		code ccm.Code // "": fine
		want store.Window
	}{
		"the usual days of arrivals":   {ccm.Config{}, arrivalsOf(t), ccm.Query{}, "", store.Window{Days: 60}},
		"the usual days of birthdays":  {ccm.Config{}, birthdaysOf(t), ccm.Query{}, "", store.Window{Days: 90}},
		"one day":                      {ccm.Config{}, arrivalsOf(t), ccm.Query{Days: 1}, "", store.Window{Days: 1}},
		"the most days of arrivals":    {ccm.Config{}, arrivalsOf(t), ccm.Query{Days: 180}, "", store.Window{Days: 180}},
		"too many days of arrivals":    {ccm.Config{}, arrivalsOf(t), ccm.Query{Days: 181}, ccm.CodeInvalidRequest, store.Window{}},
		"the most days of birthdays":   {ccm.Config{}, birthdaysOf(t), ccm.Query{Days: 365}, "", store.Window{Days: 365}},
		"too many days of birthdays":   {ccm.Config{}, birthdaysOf(t), ccm.Query{Days: 366}, ccm.CodeInvalidRequest, store.Window{}},
		"days in the past":             {ccm.Config{}, birthdaysOf(t), ccm.Query{Days: -1}, ccm.CodeInvalidRequest, store.Window{}},
		"the branch of the Config":     {ccm.Config{Branch: 9}, arrivalsOf(t), ccm.Query{Days: 1}, "", store.Window{Branch: 9, Days: 1}},
		"a branch of its own":          {ccm.Config{Branch: 9}, arrivalsOf(t), ccm.Query{Branch: 14, Days: 1}, "", store.Window{Branch: 14, Days: 1}},
		"an authorised branch":         {ccm.Config{Branches: []int{9, 14}}, arrivalsOf(t), ccm.Query{Branch: 14, Days: 1}, "", store.Window{Branch: 14, Days: 1}},
		"a branch that is not":         {ccm.Config{Branches: []int{9, 14}}, arrivalsOf(t), ccm.Query{Branch: 3}, ccm.CodeInvalidBranch, store.Window{}},
		"none where some are":          {ccm.Config{Branches: []int{9, 14}}, arrivalsOf(t), ccm.Query{}, ccm.CodeInvalidBranch, store.Window{}},
		"a branch by default that not": {ccm.Config{Branches: []int{9}, Branch: 3}, arrivalsOf(t), ccm.Query{}, ccm.CodeInvalidBranch, store.Window{}},
		"a negative branch":            {ccm.Config{}, arrivalsOf(t), ccm.Query{Branch: -1}, ccm.CodeInvalidRequest, store.Window{}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			db := &database{}
			err := c.ask(client(t, c.cfg, db), c.q)
			is.Equal(ccm.CodeOf(err), c.code)
			if c.code != "" {
				is.Equal(db.asked(), 0)
				return
			}
			c.want.From = day(t, "2026-11-24")
			is.Equal(db.windows, []store.Window{c.want})
		})
	}
}

func arrivalsOf(t *testing.T) func(*ccm.Client, ccm.Query) error {
	return func(c *ccm.Client, q ccm.Query) error { _, err := c.Arrivals(t.Context(), q); return err }
}

func birthdaysOf(t *testing.T) func(*ccm.Client, ccm.Query) error {
	return func(c *ccm.Client, q ccm.Query) error { _, err := c.Birthdays(t.Context(), q); return err }
}

func TestMetaSaysWhereTheRecordsCameFrom(t *testing.T) {
	is := is.New(t)
	now := &clock{now: at(t, "2026-11-24 12:00:00")}
	db := &database{birthdays: []ccm.Birthday{birthday(t, 1, "2026-12-01"), {ID: 2, Branch: 14}}}
	c := client(t, ccm.Config{Branch: 14, Now: now.Now, BirthdayStatus: []string{"CCM"}}, db)
	ctx := ccm.WithMessageID(t.Context(), "petición-1")
	d, err := c.Birthdays(ctx, ccm.Query{Days: 30})
	is.NoErr(err)
	is.Equal(db.status, []string{"CCM"})
	branch := 14
	want := ccm.Meta{
		Dataset: "upcoming_birthdays", GeneratedAt: now.Now().UTC(), RecordCount: 1, RecordsSkipped: 1, Branch: &branch,
		DurationMS: d.Meta.DurationMS, Cache: &ccm.CacheMeta{Source: "source"}, MessageID: "petición-1",
		Parameters: map[string]any{"branch_id": 14, "days_ahead": 30, "force_refresh": false, "status": []string{"CCM"}},
	}
	is.Equal(d.Meta, want)

	now.add(10 * time.Minute)
	d, err = c.Birthdays(t.Context(), ccm.Query{Days: 30})
	is.NoErr(err)
	is.Equal(*d.Meta.Cache, ccm.CacheMeta{Source: "memory", AgeMS: 600_000})
	is.True(d.Meta.CacheHit)
	is.Equal(d.Meta.GeneratedAt, want.GeneratedAt) // of the load
	is.Equal(d.Meta.RecordsSkipped, 1)
	is.True(d.Meta.MessageID != "")

	d, err = c.Birthdays(t.Context(), ccm.Query{Days: 30, Refresh: true})
	is.NoErr(err)
	is.Equal(*d.Meta.Cache, ccm.CacheMeta{Source: "source"})
	is.Equal(db.asked(), 2)
}

func TestRecordsAreTheCallersOwn(t *testing.T) {
	is := is.New(t)
	c := client(t, ccm.Config{}, &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-12-01", 8), arrival(t, "B", "2026-12-02", 8)}})
	first, err := c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	slices.SortFunc(first.Records, func(a, b ccm.Arrival) int { return -strings.Compare(a.District, b.District) })
	is.Equal(first.Records[0].District, "B")
	first.Records[0].District = "Z"
	first.Records = append(first.Records, ccm.Arrival{})
	second, err := c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.Equal(len(second.Records), 2)
	is.Equal([]string{second.Records[0].District, second.Records[1].District}, []string{"A", "B"})
	four := 4
	c = client(t, ccm.Config{}, &database{summaries: []ccm.BranchSummary{{Branch: 14, District: "A", Companionships: &four}}})
	for range 2 {
		d, err := c.BranchSummary(t.Context(), ccm.Query{})
		is.NoErr(err)
		is.Equal(*d.Records[0].Companionships, 4)
		*d.Records[0].Companionships = 99 // what a record points to is the caller's too
	}
	none, err := client(t, ccm.Config{}, &database{}).Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.True(none.Records != nil)
	failed, err := c.Arrivals(t.Context(), ccm.Query{Days: -1})
	is.True(err != nil)
	is.True(failed.Records != nil)
}

var errAway = errors.New("the database is away")

func TestOldDataStandInWhileTheDatabaseIsAway(t *testing.T) {
	is := is.New(t)
	now := &clock{now: at(t, "2026-11-24 12:00:00")}
	db := &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-11-24", 8), arrival(t, "B", "2026-11-25", 9)}}
	var log lines
	c := client(t, ccm.Config{Now: now.Now, Logger: log.logger()}, db)
	_, err := c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	db.fail(errAway)

	d, err := c.Arrivals(t.Context(), ccm.Query{Refresh: true})
	is.NoErr(err) // a refresh that fails keeps what there is
	is.True(d.Meta.Cache.Stale)
	now.add(31 * time.Minute)
	d, err = c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.True(d.Meta.Cache.Stale)
	is.Equal(d.Meta.Cache.AgeMS, (31 * time.Minute).Milliseconds())
	is.Equal(len(d.Records), 2)

	now.set(at(t, "2026-11-25 00:00:01"))
	d, err = c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.Equal(d.Records, []ccm.Arrival{arrival(t, "B", "2026-11-25", 9)}) // who came yesterday is past
	is.Equal(d.Meta.RecordCount, 1)

	now.set(at(t, "2026-11-25 12:00:01"))
	_, err = c.Arrivals(t.Context(), ccm.Query{})
	is.Equal(ccm.CodeOf(err), ccm.CodeDataset) // past MaxStale
	is.True(errors.Is(err, errAway))

	db.fail(nil)
	now.add(time.Second) // for so long a database that failed is left alone
	d, err = c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.True(!d.Meta.Cache.Stale)
}

func TestAnAnswerOfYesterdayIsNotFreshAtMidnight(t *testing.T) {
	is := is.New(t)
	now := &clock{now: at(t, "2026-11-24 23:59:00")}
	db := &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-11-24", 8)}}
	c := client(t, ccm.Config{Now: now.Now}, db)
	_, err := c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	now.add(2 * time.Minute)
	db.arrivals = []ccm.Arrival{arrival(t, "B", "2026-11-25", 9)}
	d, err := c.Arrivals(t.Context(), ccm.Query{})
	is.NoErr(err)
	is.Equal(d.Records, db.arrivals)
	is.True(!d.Meta.CacheHit)
}

func TestWithoutACacheNothingIsKept(t *testing.T) {
	is := is.New(t)
	db := &database{}
	c := client(t, ccm.Config{Fresh: -1}, db)
	for range 2 {
		_, err := c.Arrivals(t.Context(), ccm.Query{})
		is.NoErr(err)
	}
	is.Equal(db.asked(), 2)
	db.fail(errAway)
	_, err := c.Arrivals(t.Context(), ccm.Query{})
	is.Equal(ccm.CodeOf(err), ccm.CodeDataset)
}

func TestFailuresOfTheDatabaseSayWhatToMend(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"away":         {store.ErrUnavailable, "revise que esté en marcha"},
		"denied":       {store.ErrDenied, "conceda SELECT"},
		"wrong schema": {store.ErrSchema, "ccm-api doctor"},
		"anything":     {errAway, "el registro dice por qué"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, ccm.Config{}, &database{err: c.err}).KPIs(t.Context(), ccm.Query{})
			wants(t, err, ccm.CodeDataset, c.says)
			is.New(t).True(errors.Is(err, c.err))
		})
	}
	t.Run("none", func(t *testing.T) {
		_, err := client(t, ccm.Config{}, nil).Arrivals(t.Context(), ccm.Query{})
		wants(t, err, ccm.CodeDataset, "falta DATABASE_URL")
	})
}
