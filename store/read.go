package store

import (
	"context"
	"database/sql"
	"embed"
	"strconv"
	"strings"
)

//go:embed queries/*.sql
var files embed.FS

// The four questions.
var (
	arrivalsSQL  = mustQuery("arrivals")
	birthdaysSQL = mustQuery("birthdays")
	summariesSQL = mustQuery("summaries")
	kpisSQL      = mustQuery("kpis")
)

// mustQuery returns the text of a file without its leading comment, which is
// for readers and not for the server.
func mustQuery(name string) string {
	data, err := files.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(err) // the file is part of the program
	}
	text := string(data)
	for strings.HasPrefix(text, "--") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return strings.TrimSpace(text)
}

// read runs a query and returns its rows, each scanned into the columns that
// fields names. A connection that is lost before the first row is tried once
// more: the queries only read.
func read[T any](ctx context.Context, s *Store, op, query string, args []any, fields func(*T) []any) ([]T, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := readOnce(ctx, s.db, query, args, fields)
	if err != nil && len(found) == 0 && lost(err) && ctx.Err() == nil {
		found, err = readOnce(ctx, s.db, query, args, fields)
	}
	if err != nil {
		return nil, Classify(op, err)
	}
	return found, nil
}

func readOnce[T any](ctx context.Context, db *sql.DB, query string, args []any, fields func(*T) []any) (found []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var row, zero T
	columns := fields(&row)
	for rows.Next() {
		row = zero
		if err := rows.Scan(columns...); err != nil {
			return found, err
		}
		found = append(found, row)
	}
	return found, rows.Err()
}

// scanFunc makes a column's reader of a function. Readers of this package take
// NULL, any type that a view may have for the column, and nonsense; the latter
// is the zero value.
type scanFunc func(src any)

func (f scanFunc) Scan(src any) error {
	f(src)
	return nil
}

func text(to *string) scanFunc {
	return func(src any) { *to = strings.TrimSpace(asText(src)) }
}

func number(to *int) scanFunc {
	return func(src any) {
		f, err := strconv.ParseFloat(strings.TrimSpace(asText(src)), 64)
		if err != nil || f != f || f < -1<<53 || f > 1<<53 {
			f = 0
		}
		*to = int(f)
	}
}

func flag(to *bool) scanFunc {
	return func(src any) {
		var n int
		number(&n)(src)
		*to = n != 0
	}
}

func date(to *Date) scanFunc {
	return func(src any) {
		if to.Scan(src) != nil {
			*to = Date{}
		}
	}
}

// asText reads what the driver's text protocol gives; "" for NULL.
func asText(src any) string {
	var s sql.NullString
	if s.Scan(src) != nil {
		return ""
	}
	return s.String
}
