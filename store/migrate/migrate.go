package migrate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/ccmwf/ccm/store/migrate/steps"
)

// State says what kind of database was found.
type State string

// The states.
const (
	Empty    State = "vacía"    // nothing of ours yet, and our names are free
	Ours     State = "propia"   // made by these migrations
	Adopted  State = "adoptada" // both views exist and are not ours: never touched
	Occupied State = "ocupada"  // some of our names are taken by something else: refused
)

// ErrOccupied is what [Up] answers for a database that is [Occupied].
var ErrOccupied = errors.New("store/migrate: some names are taken")

// Migration is one step of the schema.
type Migration = steps.Migration

// Status is what a database is and has. Migrations are all of ours, in order, and
// those of a later program than this one.
type Status struct {
	State      State
	Taken      []string // names that are taken, when Occupied
	Migrations []Migration
}

// Pending counts what Up would apply.
func (s Status) Pending() int {
	if s.State == Adopted || s.State == Occupied {
		return 0
	}
	return steps.Pending(s.Migrations)
}

//go:embed migrations/*.sql
var embedded embed.FS

// schema is where they are kept, and named.
var schema = steps.Steps{Files: embedded, Table: "ccm_migraciones", Lock: "ccm_migraciones"}

// Inspect looks and changes nothing. url is any that [store.Config] takes.
// Errors are classified as those of package store.
func Inspect(ctx context.Context, url string) (Status, error) {
	db, err := steps.Open(url)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	return inspect(ctx, db)
}

// Up applies what is missing and returns the state after it. An [Adopted]
// database is left alone, without error; an [Occupied] one is [ErrOccupied].
// A run that was cut is finished by the next one.
func Up(ctx context.Context, url string) (Status, error) {
	db, err := steps.Open(url)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	var found Status
	err = schema.Locked(ctx, db, func() (err error) {
		found, err = up(ctx, db)
		return err
	})
	if errors.Is(err, steps.ErrBusy) {
		err = fmt.Errorf("store/migrate: %w", err)
	}
	return found, err
}

func up(ctx context.Context, db *sql.DB) (Status, error) {
	found, err := inspect(ctx, db)
	if err != nil || found.Pending() == 0 {
		return found, errors.Join(err, found.refusal())
	}
	if err := schema.Up(ctx, db); err != nil {
		return found, fmt.Errorf("store/migrate: %w", err)
	}
	return inspect(ctx, db)
}

// refusal is the error of a database that Up will not touch.
func (s Status) refusal() error {
	if s.State != Occupied {
		return nil
	}
	return fmt.Errorf("%w: the database already has %s, which these migrations did not make; use an empty database, or one with both views %s",
		ErrOccupied, strings.Join(s.Taken, ", "), strings.Join(views, " and "))
}
