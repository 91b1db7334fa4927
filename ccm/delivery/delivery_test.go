package delivery_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/ccm/delivery/deliverytest"
	"github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestMySQL(t *testing.T) { testContract(t, testenv.MySQL(t)) }

func TestMariaDB(t *testing.T) { testContract(t, testenv.MariaDB(t)) }

// testContract holds the journal in one schema, emptied before each test, to the
// contract.
func testContract(t *testing.T, url string) {
	migrated(t, url)
	deliverytest.Run(t, func(tb testing.TB) deliverytest.Place {
		db := connect(tb, url)
		run(tb, db, "DELETE FROM ccm_parts")
		run(tb, db, "DELETE FROM ccm_deliveries")
		return deliverytest.Place{
			Open: func() ccm.Journal { return open(tb, delivery.Config{URL: url, MaxConns: 2}) },
			Pass: func(d time.Duration) { pass(tb, db, d) },
			Kill: func(j ccm.Journal) { j.(*delivery.Journal).Close() },
		}
	})
}

func migrated(tb testing.TB, url string) {
	tb.Helper()
	if _, err := migrate.Up(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
}

func open(tb testing.TB, cfg delivery.Config) *delivery.Journal {
	tb.Helper()
	j, err := delivery.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { j.Close() })
	return j
}

// connect opens plain SQL on a database.
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

func run(tb testing.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// pass lets time pass by for every delivery: the clock is the database's.
func pass(tb testing.TB, db *sql.DB, d time.Duration) {
	tb.Helper()
	sets := ""
	for _, column := range []string{"began_at", "ended_at", "key_until", "lease_until", "purged_at"} {
		sets += fmt.Sprintf(", %s = %s - INTERVAL %d SECOND", column, column, int64(d.Seconds()))
	}
	run(tb, db, "UPDATE ccm_deliveries SET "+sets[2:])
}
