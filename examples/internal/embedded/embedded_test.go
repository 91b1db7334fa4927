package embedded_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/ccm/delivery/deliverytest"
	"github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/examples/internal/embedded"
	people "github.com/ccmwf/ccm/examples/internal/sample"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) string { return start(tb).URL() })
}

// TestJournal holds the journal on this engine to its contract.
func TestJournal(t *testing.T) {
	url := start(t).URL()
	if _, err := migrate.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	deliverytest.Run(t, func(tb testing.TB) deliverytest.Place {
		db := connect(tb, url)
		exec(tb, db, "DELETE FROM ccm_parts")
		exec(tb, db, "DELETE FROM ccm_deliveries")
		return deliverytest.Place{
			Open: func() ccm.Journal {
				j, err := delivery.Open(delivery.Config{URL: url})
				if err != nil {
					tb.Fatal(err)
				}
				tb.Cleanup(func() { j.Close() })
				return j
			},
			Pass: func(d time.Duration) {
				for _, column := range []string{"began_at", "ended_at", "key_until", "lease_until", "purged_at"} {
					exec(tb, db, fmt.Sprintf("UPDATE ccm_deliveries SET %[1]s = %[1]s - INTERVAL %[2]d SECOND WHERE %[1]s IS NOT NULL", column, int64(d.Seconds())))
				}
			},
			Kill:   func(j ccm.Journal) { j.(*delivery.Journal).Close() },
			Serial: true, // the engine in memory isolates nobody from anybody
		}
	})
}

func connect(tb testing.TB, url string) *sql.DB {
	tb.Helper()
	c, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(c)
	tb.Cleanup(func() { db.Close() })
	return db
}

func exec(tb testing.TB, db *sql.DB, query string) {
	tb.Helper()
	if _, err := db.Exec(query); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

func TestSample(t *testing.T) {
	for _, today := range []store.Date{
		{Year: 2026, Month: time.November, Day: 27},
		{Year: 2026, Month: time.December, Day: 31},
		{Year: 2028, Month: time.February, Day: 29},
	} {
		t.Run("reports look alive on "+today.String(), func(t *testing.T) {
			is := is.New(t)
			s, again := sample(t, today), sample(t, today)
			w := store.Window{Branch: 14, From: today, Days: 60}

			arrivals, err := s.Arrivals(t.Context(), w)
			is.NoErr(err)
			days := map[store.Date]bool{}
			for _, a := range arrivals {
				days[a.Arrival] = true
			}
			is.True(days[today] && days[today.AddDays(1)])
			is.True(len(days) > 5)
			is.True(days[store.Date{}]) // a hole

			birthdays, err := s.Birthdays(t.Context(), w)
			is.NoErr(err)
			days = map[store.Date]bool{}
			names := map[string]bool{}
			for _, b := range birthdays {
				days[b.Birthday], names[b.Name] = true, true
			}
			is.True(days[today] && days[today.AddDays(1)])
			is.True(len(birthdays) > 10)
			is.True(days[store.Date{}])
			is.Equal(len(names), len(birthdays)) // no two of one name

			same, err := again.Birthdays(t.Context(), w)
			is.NoErr(err)
			is.Equal(birthdays, same)

			leap, err := s.Birthdays(t.Context(), store.Window{Branch: 14, From: store.Date{Year: 2032, Month: time.February, Day: 29}})
			is.NoErr(err)
			is.Equal(leap[len(leap)-1].Birthday.String(), "2032-02-29")
		})
	}
	t.Run("every status has people today", func(t *testing.T) {
		is := is.New(t)
		found, err := sample(t, store.DateOf(time.Now())).Inspect(t.Context())
		is.NoErr(err)
		for _, status := range []string{"Futuro", "Virtual", "CCM", "Campo"} {
			is.True(found.Statuses[status] > 5)
		}
		is.Equal(found.Missing, nil)
		is.Equal(found.MissingIndexes, nil)
		is.Equal(found.Notes, nil)
	})
}

func TestClose(t *testing.T) {
	is := is.New(t)
	s, err := embedded.Start(t.Context())
	is.NoErr(err)
	is.NoErr(s.Close())
	db, err := store.Open(store.Config{URL: s.URL()})
	is.NoErr(err)
	defer db.Close()
	is.True(db.Ping(t.Context()) != nil) // nobody listens
}

func start(tb testing.TB) *embedded.Server {
	tb.Helper()
	s, err := embedded.Start(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func sample(tb testing.TB, today store.Date) *store.Store {
	tb.Helper()
	url := start(tb).URL()
	if err := people.Load(tb.Context(), url, today); err != nil {
		tb.Fatal(err)
	}
	s, err := store.Open(store.Config{URL: url})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}
