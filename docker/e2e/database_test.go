package e2e_test

import (
	"database/sql"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/ccmwf/ccm/store"
)

// samplePeople fills the reference table: two districts that arrive within 30
// days, two birthdays within 30 days, one person without a birth date.
func samplePeople(now time.Time) string {
	day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
	born := func(n int) string { return now.AddDate(-20, 0, n).Format(time.DateOnly) }
	return fmt.Sprintf(`INSERT INTO ccm_generaciones
		(id, tipo, rama, distrito, nombre_misionero, fecha_llegada, fecha_salida, fecha_generacion, fecha_nacimiento, tres_semanas) VALUES
		(1, 'Sis', 14, 'A', 'Ana O''Brien & Ñúñez <b>', '%[1]s', '%[2]s', '%[3]s', '%[4]s', 1),
		(2, 'Eld', 14, 'A', 'Persona Dos', '%[1]s', '%[2]s', '%[3]s', '%[5]s', 1),
		(3, 'Eld', 14, 'B', 'Persona Tres', '%[6]s', '%[7]s', '%[3]s', NULL, 0)`,
		day(5), day(26), day(-10), born(3), born(10), day(12), day(54))
}

func foreignPeople(now time.Time) string {
	day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
	return fmt.Sprintf(`INSERT INTO personas (clave, clase, unidad, letra, quien, entra, sale, nacio, programa_corto) VALUES
		('101', 'Sis', '14', 'C', 'Persona Ajena', '%[1]s 23:30:00', '%[2]s', '%[3]s', 'sí'),
		('102', 'Eld', '14', 'C', 'Persona Sin Fecha', '%[1]s 00:00:00', '%[2]s', 'ayer', 'no')`,
		day(4), day(25), now.AddDate(-19, 0, 7).Format(time.DateOnly))
}

// open connects to a URL of testenv.
func open(tb testing.TB, url string) *sql.DB {
	tb.Helper()
	connector, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	tb.Cleanup(func() { db.Close() })
	return db
}

// execute runs statements, each of which ends a line with its semicolon.
func execute(tb testing.TB, url, script string) {
	tb.Helper()
	db := open(tb, url)
	for statement := range strings.SplitSeq(strings.TrimSpace(script), ";\n") {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// dump is the schema and the data of a database as text, in a fixed order.
func dump(tb testing.TB, url string) string {
	tb.Helper()
	db := open(tb, url)
	var out strings.Builder
	for _, name := range column(tb, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`, 0) {
		out.WriteString(strings.Join(column(tb, db, "SHOW CREATE TABLE `"+name+"`", 1), "") + "\n")
		rows := column(tb, db, "SELECT * FROM `"+name+"`", -1)
		sort.Strings(rows)
		out.WriteString(strings.Join(rows, "\n") + "\n")
	}
	for _, q := range []string{
		`SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY 1`,
		`SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1`,
		`SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1`,
		`SELECT schema_name FROM information_schema.schemata ORDER BY 1`,
	} {
		out.WriteString(strings.Join(column(tb, db, q, 0), "\n") + "\n")
	}
	return out.String()
}

// column returns one column of a query, or each whole row when i is negative.
func column(tb testing.TB, db *sql.DB, query string, i int) []string {
	tb.Helper()
	rows, err := db.Query(query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for k := range values {
			into[k] = &values[k]
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		if i >= 0 {
			out = append(out, values[i].String)
		} else {
			out = append(out, fmt.Sprintf("%+v", values)) // tells NULL from ''
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}
