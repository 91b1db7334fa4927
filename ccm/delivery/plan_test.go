package delivery_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
)

// fill makes n deliveries of one part each, spread over a year: most of them
// sent, one in twenty not, one in a hundred an alert, over five chats.
func fill(tb testing.TB, db *sql.DB, n int) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	conn, err := db.Conn(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	const id = `CONCAT(LPAD(CONV(n, 10, 32), 10, '0'), UPPER(LEFT(SHA2(n, 256), 16)))`
	for _, statement := range []string{
		`SET SESSION cte_max_recursion_depth = 10000000, unique_checks = 0`,
		fmt.Sprintf(`CREATE TABLE numbers AS WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s`, n),
		fmt.Sprintf(`INSERT INTO ccm_deliveries (id, idempotency_key, key_hash, key_until, fingerprint, report, request, chat, thread, silent, protect, meta, state, confirmed, began_at, ended_at)
SELECT `+id+`, CONCAT('clave ', n), UNHEX(SHA2(CONCAT('clave ', n), 256)), at + INTERVAL 1 DAY, 'f', IF(n %% 100 = 0, 'alert', IF(n %% 2 = 0, 'upcoming_arrivals', 'upcoming_birthdays')),
 '{"branch_id":14,"days_ahead":60}', CONCAT('-100', n %% 5), 0, FALSE, FALSE, CONCAT('{}', REPEAT(' ', 300)),
 CASE WHEN n %% 20 > 0 THEN 'sent' WHEN n %% 60 = 0 THEN 'uncertain' WHEN n %% 40 = 0 THEN 'refused' ELSE 'pending' END, TRUE, at, at + INTERVAL 1 SECOND
FROM (SELECT n, UTC_TIMESTAMP(6) - INTERVAL (%d - n) * (364 * 86400 / %d) SECOND AS at FROM numbers) x`, n, n),
		`INSERT INTO ccm_parts (delivery_id, part, state, html, plain, utf16, entities, message_id, chat, attempts)
SELECT ` + id + `, 0, IF(n % 20 > 0, 'sent', IF(n % 60 = 0, 'uncertain', IF(n % 40 = 0, 'refused', 'pending'))), REPEAT('<b>x</b> ', 30), REPEAT('x ', 30), 60, 30, n, '-1', 1 FROM numbers`,
		`DROP TABLE numbers`,
		`ANALYZE TABLE ccm_deliveries, ccm_parts`,
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

// someFilters are the lists that people ask for.
func someFilters() map[string]ccm.Filter {
	all := map[string]ccm.Filter{
		"all":               {},
		"one report":        {Report: "upcoming_arrivals"},
		"a rare report":     {Report: "alert"},
		"chat":              {Chat: "-1003"},
		"from and to":       {From: time.Now().Add(-60 * day), To: time.Now().Add(-50 * day)},
		"to":                {To: time.Now().Add(-300 * day)},
		"state, long ago":   {State: ccm.Delivered, To: time.Now().Add(-300 * day)},
		"state and chat":    {State: ccm.Uncertain, Chat: "-1000"},
		"state and report":  {State: ccm.Delivered, Report: "alert"},
		"report and chat":   {Report: "alert", Chat: "-1000"},
		"the biggest pages": {Limit: ccm.MaxPage},
	}
	for _, s := range []ccm.State{ccm.Pending, ccm.Sending, ccm.Delivered, ccm.Refused, ccm.Uncertain, ccm.Discarded} {
		all["state "+string(s)] = ccm.Filter{State: s}
	}
	return all
}

// examined is how many rows a query reads, of the tables and of its own.
func examined(t *testing.T, conn *sql.Conn, query string, args ...any) int {
	t.Helper()
	ctx := t.Context()
	for _, statement := range []string{"FLUSH STATUS", query} {
		values := args
		if statement != query {
			values = nil
		}
		rows, err := conn.QueryContext(ctx, statement, values...)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		for rows.Next() {
			continue
		}
		rows.Close()
	}
	rows, err := conn.QueryContext(ctx, "SHOW SESSION STATUS LIKE 'Handler_read%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	total := 0
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}

// TestNothingReadsTheWholeTable counts what each statement reads.
func TestNothingReadsTheWholeTable(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	db := connect(t, url)
	const rows = 20_000
	fill(t, db, rows)
	conn, err := db.Conn(t.Context())
	is.NoErr(err)
	defer conn.Close()
	j := open(t, delivery.Config{URL: url})
	for name, f := range someFilters() {
		for page := range 2 {
			query, args, err := delivery.ListQuery(f)
			is.NoErr(err)
			n := examined(t, conn, query, args...)
			t.Logf("%s, page %d: %d", name, page+1, n)
			if n > 20*(f.Size()+1) {
				t.Errorf("%s, page %d: %d rows are read", name, page+1, n)
				t.Log(strings.Join(explain(t, conn, query, args...), "\n"))
			}
			found, err := j.List(t.Context(), f)
			is.NoErr(err)
			if f.Cursor = found.Next; f.Cursor == "" {
				break
			}
		}
	}
	for name, query := range delivery.Statements {
		args := make([]any, strings.Count(query, "?"))
		for i := range args {
			args[i] = 200
		}
		if name == "by key" {
			args = []any{make([]byte, 32)} // a number would not be looked up
		}
		if n := examined(t, conn, query, args...); n > 500 {
			t.Errorf("%s: %d rows are read", name, n)
		}
	}
}

func explain(t *testing.T, conn *sql.Conn, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN FORMAT=TREE "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}
