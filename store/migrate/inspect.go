package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/ccmwf/ccm/store"
)

// versionTable is where goose keeps what was applied.
const versionTable = "ccm_migraciones"

// views are the names whose presence makes a database an adopted one; all three
// are the names that we need.
var (
	views = []string{"vwMisioneros", "vwFechasCCMPorDistrito"}
	names = append([]string{"ccm_generaciones"}, views...)
)

func inspect(ctx context.Context, db *sql.DB) (Status, error) {
	tables, err := tableNames(ctx, db)
	if err != nil {
		return Status{}, err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, name) })
	}
	status := Status{State: Ours, Migrations: ours()}
	if has(versionTable) {
		return status, status.markApplied(ctx, db)
	}
	for _, name := range names {
		if has(name) {
			status.Taken = append(status.Taken, name)
		}
	}
	switch {
	case len(status.Taken) == 0:
		status.State = Empty
	case has(views[0]) && has(views[1]):
		status.State, status.Taken = Adopted, nil
	default:
		status.State = Occupied
	}
	return status, nil
}

// ours lists the migrations in this program, by version.
func ours() []Migration {
	entries, _ := embedded.ReadDir("migrations") // embedded: it is there
	all := make([]Migration, 0, len(entries))
	for _, e := range entries {
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			panic(err) // a file of this program is misnamed
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), "_")
		all = append(all, Migration{Version: version, Name: name})
	}
	return all
}

// markApplied reads the version table as goose writes it. goose's own Status
// would make the table first.
func (s *Status) markApplied(ctx context.Context, db *sql.DB) error {
	versions, err := texts(ctx, db, "SELECT version_id FROM "+versionTable+" WHERE is_applied = 1")
	for i := range s.Migrations {
		m := &s.Migrations[i]
		m.Applied = slices.Contains(versions, fmt.Sprint(m.Version))
	}
	return err
}

func tableNames(ctx context.Context, db *sql.DB) ([]string, error) {
	return texts(ctx, db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
}

// texts returns the first column of a query.
func texts(ctx context.Context, db *sql.DB, query string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, store.Classify("migrate", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, store.Classify("migrate", err)
		}
		all = append(all, s)
	}
	return all, store.Classify("migrate", rows.Err())
}
