package store

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Inspection is what [Store.Inspect] learned, for an operator.
type Inspection struct {
	Server         string         // "MySQL" or "MariaDB"
	Version        string         // as the server says it
	Latency        time.Duration  // of one round trip
	TLS            bool           // whether the connection is encrypted
	CanWrite       bool           // whether the user holds rights to write, which reports never need
	CanShowView    bool           // whether the user may see how the views are made, which MissingIndexes needs
	Missing        []string       // views and columns the database lacks, in Spanish, with what to do
	MissingIndexes []string       // CREATE INDEX statements that would make the queries fast
	Statuses       map[string]int // people of each status in the view; "" for none
	Notes          []string       // what could not be found out, in Spanish, with why
}

// Inspect looks at the server, the rights, the columns and the indexes, and
// changes nothing. What it could not find out is in Notes; an error, in Spanish
// like those of [Store.Check], means that the database was not reached at all.
func (s *Store) Inspect(ctx context.Context) (Inspection, error) {
	var found Inspection
	if err := s.Ping(ctx); err != nil {
		return found, advise(err)
	}
	start := time.Now()
	version, err := s.firstColumn(ctx, "SELECT VERSION()")
	if err != nil {
		return found, advise(err)
	}
	found.Latency = time.Since(start)
	found.Version = strings.Join(version, "")
	found.Server = "MySQL"
	if strings.Contains(found.Version, "MariaDB") {
		found.Server = "MariaDB"
	}
	if found.Missing, err = s.missing(ctx); err != nil {
		found.note("no se pudieron ver las columnas de las vistas", err)
	}
	s.inspectTLS(ctx, &found)
	s.inspectRights(ctx, &found)
	s.inspectIndexes(ctx, &found)
	s.inspectStatuses(ctx, &found)
	return found, nil
}

func (i *Inspection) note(what string, err error) {
	i.Notes = append(i.Notes, what+": "+err.Error())
}

// count is a name with a text, or with a number of people.
type count struct {
	name   string
	value  string
	people int
}

func (s *Store) inspectTLS(ctx context.Context, found *Inspection) {
	rows, err := read(ctx, s, "inspect", "SHOW SESSION STATUS LIKE 'Ssl_cipher'", nil, func(c *count) []any {
		return []any{text(&c.name), text(&c.value)}
	})
	if err != nil {
		found.note("no se pudo ver si la conexión va cifrada", err)
		return
	}
	found.TLS = slices.ContainsFunc(rows, func(c count) bool { return c.value != "" })
}

func (s *Store) inspectStatuses(ctx context.Context, found *Inspection) {
	rows, err := read(ctx, s, "inspect", "SELECT Status, COUNT(*) FROM vwMisioneros GROUP BY Status", nil, func(c *count) []any {
		return []any{text(&c.name), number(&c.people)}
	})
	if err != nil {
		found.note("no se pudieron contar las personas de cada estado", err)
		return
	}
	found.Statuses = make(map[string]int, len(rows))
	for _, c := range rows {
		found.Statuses[c.name] += c.people
	}
}

// firstColumn returns the first column of a query's rows.
func (s *Store) firstColumn(ctx context.Context, query string, args ...any) ([]string, error) {
	return read(ctx, s, "inspect", query, args, func(r *string) []any { return []any{text(r)} })
}
