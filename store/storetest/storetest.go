package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

// Empty returns the URL of a database without tables, another one at each call.
type Empty func(tb testing.TB) (url string)

// Run holds a database to the contract.
func Run(t *testing.T, empty Empty) {
	t.Run("migrate", func(t *testing.T) { testMigrate(t, empty) })
	t.Run("adopted", func(t *testing.T) { testAdopted(t, empty) })
	t.Run("arrivals", func(t *testing.T) { testArrivals(t, empty) })
	t.Run("birthdays", func(t *testing.T) { testBirthdays(t, empty) })
	t.Run("districts", func(t *testing.T) { testDistricts(t, empty) })
	t.Run("foreign views", func(t *testing.T) { testForeign(t, empty) })
	t.Run("zone", func(t *testing.T) { testZone(t, empty) })
	t.Run("check", func(t *testing.T) { testCheck(t, empty) })
	t.Run("inspect", func(t *testing.T) { testInspect(t, empty) })
	t.Run("faults", func(t *testing.T) { testFaults(t, empty) })
}

// RunServer holds a server of MySQL or MariaDB to what go-mysql-server cannot do:
// stop a query in time, rights on views alone, collations that do not mix, dates that no calendar has.
// The user of the URLs must be allowed to create users.
func RunServer(t *testing.T, empty Empty) {
	t.Run("strange types", func(t *testing.T) { testStrange(t, empty) })
	t.Run("limit", func(t *testing.T) { testLimit(t, empty) })
	t.Run("rights", func(t *testing.T) { testRights(t, empty) })
}

// person is a row of ccm_generaciones. Dates are text; a nil is NULL.
type person struct {
	id                                int
	kind, branch, district, treatment any
	name                              string
	generation, arrival, inPerson     any
	departure, birth, short           any
	inactive                          bool
}

// reference makes the reference schema with people in it.
func reference(tb testing.TB, empty Empty, people ...person) (url string) {
	tb.Helper()
	url = empty(tb)
	if _, err := migrate.Up(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	db := connect(tb, url)
	for _, p := range people {
		exec(tb, db, `INSERT INTO ccm_generaciones
			(id, tipo, rama, distrito, tratamiento, nombre_misionero, fecha_generacion, fecha_llegada,
			 fecha_presencial, fecha_salida, fecha_nacimiento, tres_semanas, correo_misional, activo)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			p.id, p.kind, p.branch, p.district, p.treatment, p.name, p.generation, p.arrival,
			p.inPerson, p.departure, p.birth, p.short, fmt.Sprintf("m%d@example.org", p.id), !p.inactive)
	}
	return url
}

// open opens a Store that is closed with the test.
func open(tb testing.TB, cfg store.Config) *store.Store {
	tb.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
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

func exec(tb testing.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context()) // a clean-up may call it too
	if _, err := db.ExecContext(ctx, query, args...); err != nil {
		tb.Fatalf("%s: %v", strings.TrimSpace(query), err)
	}
}

// run executes statements that are separated by a blank line.
func run(tb testing.TB, db *sql.DB, script string) {
	tb.Helper()
	for statement := range strings.SplitSeq(strings.TrimSpace(script), "\n\n") {
		exec(tb, db, statement)
	}
}

// dump is everything that is in a database: definitions and rows.
func dump(tb testing.TB, url string) string {
	tb.Helper()
	db := connect(tb, url)
	var b strings.Builder
	for _, table := range rows(tb, db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME") {
		fmt.Fprintln(&b, rows(tb, db, "SHOW CREATE TABLE "+table))
		fmt.Fprintln(&b, slices.Sorted(slices.Values(rows(tb, db, "SELECT * FROM "+table))))
	}
	return b.String()
}

// rows returns each row of a query, its columns joined.
func rows(tb testing.TB, db *sql.DB, query string) (all []string) {
	tb.Helper()
	r, err := db.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer r.Close()
	names, err := r.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	values := make([]sql.NullString, len(names))
	to := make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	for r.Next() {
		if err := r.Scan(to...); err != nil {
			tb.Fatal(err)
		}
		var row []string
		for _, v := range values {
			row = append(row, v.String)
		}
		all = append(all, strings.Join(row, "|"))
	}
	if err := r.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// day parses a date of the fixtures.
func day(s string) store.Date {
	d, err := store.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// window is the one from a day on.
func window(branch int, from string, days int) store.Window {
	return store.Window{Branch: branch, From: day(from), Days: days}
}
