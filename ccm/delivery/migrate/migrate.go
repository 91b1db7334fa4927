// Package migrate makes the tables of [github.com/ccmwf/ccm/ccm/delivery] in a
// schema of their own.
//
//  1. [Inspect] says what is missing. It changes nothing.
//  2. [Up] makes the schema, where the user may, and what is missing in it, under
//     a lock, so that several replicas may call it at once.
//
// A schema that holds the people's tables or views is [ErrShared], and nothing is
// made there; one that lost a table is [ErrIncomplete]. What was applied is
// recorded in the table ccm_delivery_migrations.
package migrate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate/steps"
)

// ErrShared is of a schema that is not the journal's own.
var ErrShared = errors.New("delivery/migrate: the schema holds the people's database")

// ErrIncomplete is of a schema that was migrated and has lost a table since.
var ErrIncomplete = errors.New("delivery/migrate: the schema has lost a table")

// Migration is one step of the schema.
type Migration = steps.Migration

// Status is what a schema has. Migrations are all of ours, in order, and those of a
// later program than this one.
type Status struct {
	Schema     string
	Exists     bool // the schema itself
	Migrations []Migration
}

// Pending counts what Up would apply.
func (s Status) Pending() int { return steps.Pending(s.Migrations) }

// Later reports whether a later program than this one migrated the schema.
func (s Status) Later() bool { return steps.Later(s.Migrations) }

// people are names that only the people's database has.
var people = []string{"vwMisioneros", "vwFechasCCMPorDistrito", "ccm_generaciones", "ccm_migraciones"}

// made are the tables that migrations make, by version.
var made = map[int64]string{1: "ccm_deliveries", 2: "ccm_parts"}

//go:embed migrations/*.sql
var embedded embed.FS

// schema is where they are kept, and named.
var schema = steps.Steps{Files: embedded, Table: "ccm_delivery_migrations", Lock: "ccm_delivery"}

// Inspect looks and changes nothing. url is any that store.Config takes. Errors
// are classified as those of package store, or [ErrShared], or [ErrIncomplete].
func Inspect(ctx context.Context, url string) (Status, error) {
	db, err := steps.Open(url)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	return inspect(ctx, db)
}

// noSchemaRight is the server's number of a user who may not enter a schema, be it
// there or not.
// https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html
const noSchemaRight = 1044

// Up makes what is missing and returns the state after it. A run that was cut is
// finished by the next one. Errors are those of [Inspect]; one that lacks a right
// says which.
func Up(ctx context.Context, url string) (Status, error) {
	if err := store.Create(ctx, url); err != nil {
		if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == noSchemaRight {
			return Status{}, fmt.Errorf("delivery/migrate: el esquema del diario no existe, o el usuario no llega a él: créelo, y conceda al usuario ALL PRIVILEGES sobre él: %w", err)
		}
		return Status{}, fmt.Errorf("delivery/migrate: %w", err)
	}
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
		err = errors.New("delivery/migrate: otro proceso lleva un minuto migrando el diario: espere a que termine y repita la orden")
	}
	return found, err
}

func up(ctx context.Context, db *sql.DB) (Status, error) {
	found, err := inspect(ctx, db)
	if err != nil || found.Pending() == 0 {
		return found, err
	}
	if err := schema.Up(ctx, db); err != nil {
		if errors.Is(err, store.ErrDenied) {
			return found, fmt.Errorf("delivery/migrate: al usuario le falta permiso para crear las tablas del diario: conceda CREATE, ALTER, INDEX, SELECT, INSERT, UPDATE y DELETE sobre %s.*: %w", found.Schema, err)
		}
		return found, fmt.Errorf("delivery/migrate: %w", err)
	}
	return inspect(ctx, db)
}

func inspect(ctx context.Context, db *sql.DB) (Status, error) {
	status := Status{Migrations: schema.All()} // also of a schema that is not there
	name, err := steps.Texts(ctx, db, "SELECT DATABASE()")
	if err != nil {
		return status, err
	}
	status.Schema, status.Exists = strings.Join(name, ""), true
	tables, err := steps.Tables(ctx, db)
	if err != nil {
		return status, err
	}
	for _, name := range people {
		if tables.Has(name) {
			return status, fmt.Errorf("%w: %s ya tiene %s, y el diario de envíos necesita un esquema propio: ponga otro nombre en CCM_JOURNAL_URL", ErrShared, status.Schema, name)
		}
	}
	if status.Migrations, err = schema.Status(ctx, db, tables); err != nil {
		return status, err
	}
	for _, m := range status.Migrations {
		if table := made[m.Version]; m.Applied && table != "" && !tables.Has(table) {
			return status, fmt.Errorf("%w: en %s consta la migración %d y falta su tabla %s: restaure la copia de seguridad; o borre la tabla %s y repita «ccm-api migrate up», que crea las que falten",
				ErrIncomplete, status.Schema, m.Version, table, schema.Table)
		}
	}
	return status, nil
}
