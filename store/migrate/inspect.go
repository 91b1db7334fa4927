package migrate

import (
	"context"
	"database/sql"

	"github.com/ccmwf/ccm/store/migrate/steps"
)

// views are the names whose presence makes a database an adopted one; all three
// are the names that we need.
var (
	views = []string{"vwMisioneros", "vwFechasCCMPorDistrito"}
	names = append([]string{"ccm_generaciones"}, views...)
)

func inspect(ctx context.Context, db *sql.DB) (Status, error) {
	tables, err := steps.Tables(ctx, db)
	if err != nil {
		return Status{}, err
	}
	status := Status{State: Ours}
	status.Migrations, err = schema.Status(ctx, db, tables)
	if tables.Has(schema.Table) {
		return status, err
	}
	for _, name := range names {
		if tables.Has(name) {
			status.Taken = append(status.Taken, name)
		}
	}
	switch {
	case len(status.Taken) == 0:
		status.State = Empty
	case tables.Has(views[0]) && tables.Has(views[1]):
		status.State, status.Taken = Adopted, nil
	default:
		status.State = Occupied
	}
	return status, nil
}
