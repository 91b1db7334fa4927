// Package migrate makes the tables of [github.com/ccmwf/ccm/ccm/delivery] in a
// schema of their own.
//
//  1. [Inspect] says what is missing. It changes nothing.
//  2. [Up] makes the schema, where the user may, and what is missing in it, under
//     a lock, so that several replicas may call it at once.
//
// A schema that holds the people's tables or views is [ErrShared], and nothing is
// made there. What was applied is recorded in the table ccm_delivery_migrations.
package migrate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/ccmwf/ccm/store"
)

// ErrShared is of a schema that is not the journal's own.
var ErrShared = errors.New("delivery/migrate: the schema holds the people's database")

// Migration is one step of the schema.
type Migration struct {
	Version int64 // from 1 on
	Name    string
	Applied bool
}

// Status is what a schema has. Migrations are all of ours, in order.
type Status struct {
	Schema     string
	Exists     bool // the schema itself
	Migrations []Migration
}

// Pending counts what Up would apply.
func (s Status) Pending() int {
	n := 0
	for _, m := range s.Migrations {
		if !m.Applied {
			n++
		}
	}
	return n
}

const versionTable = "ccm_delivery_migrations"

// people are names that only the people's database has.
var people = []string{"vwMisioneros", "vwFechasCCMPorDistrito", "ccm_generaciones", "ccm_migraciones"}

//go:embed migrations/*.sql
var embedded embed.FS

// Inspect looks and changes nothing. url is any that store.Config takes. Errors
// are classified as those of package store, or [ErrShared].
func Inspect(ctx context.Context, url string) (Status, error) {
	db, err := open(url)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	return inspect(ctx, db)
}

// Up makes what is missing and returns the state after it. A run that was cut is
// finished by the next one. Errors are those of [Inspect]; one that lacks a right
// says which.
func Up(ctx context.Context, url string) (Status, error) {
	if err := store.Create(ctx, url); err != nil {
		return Status{}, fmt.Errorf("delivery/migrate: el esquema del diario no existe y no se pudo crear: créelo, y conceda al usuario ALL PRIVILEGES sobre él: %w", err)
	}
	db, err := open(url)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	var found Status
	err = locked(ctx, db, func() (err error) {
		found, err = up(ctx, db)
		return err
	})
	return found, err
}

func up(ctx context.Context, db *sql.DB) (Status, error) {
	found, err := inspect(ctx, db)
	if err != nil || found.Pending() == 0 {
		return found, err
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return found, fmt.Errorf("delivery/migrate: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectMySQL, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return found, fmt.Errorf("delivery/migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		err = store.Classify("migrate", err)
		if errors.Is(err, store.ErrDenied) {
			return found, fmt.Errorf("delivery/migrate: al usuario le falta permiso para crear las tablas del diario: conceda CREATE, ALTER, INDEX, SELECT, INSERT, UPDATE y DELETE sobre %s.*: %w", found.Schema, err)
		}
		return found, fmt.Errorf("delivery/migrate: %w", err)
	}
	return inspect(ctx, db)
}

func inspect(ctx context.Context, db *sql.DB) (Status, error) {
	status := Status{Migrations: ours()}
	schema, err := texts(ctx, db, "SELECT DATABASE()")
	if err != nil {
		return status, err
	}
	status.Schema, status.Exists = strings.Join(schema, ""), true
	tables, err := texts(ctx, db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		return status, err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, name) })
	}
	for _, name := range people {
		if has(name) {
			return status, fmt.Errorf("%w: %s ya tiene %s, y el diario de envíos necesita un esquema propio: ponga otro nombre en CCM_JOURNAL_URL", ErrShared, status.Schema, name)
		}
	}
	if !has(versionTable) {
		return status, nil
	}
	versions, err := texts(ctx, db, "SELECT version_id FROM "+versionTable+" WHERE is_applied = 1")
	for i := range status.Migrations {
		m := &status.Migrations[i]
		m.Applied = slices.Contains(versions, fmt.Sprint(m.Version))
	}
	return status, err
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

// lockWait is how long Up waits for another process that migrates.
const lockWait = time.Minute

// lockName is a lock's name for the schema in use: locks are the server's, and a
// name has at most 64 characters.
const lockName = "LEFT(CONCAT('ccm_delivery.', DATABASE()), 64)"

// locked runs f while it holds the schema's lock, which the server frees by
// itself when the connection ends.
func locked(ctx context.Context, db *sql.DB, f func() error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return store.Classify("migrate", err)
	}
	defer conn.Close()
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d)", lockName, int(lockWait.Seconds()))).Scan(&got); err != nil {
		return store.Classify("migrate", err)
	}
	if got.Int64 != 1 {
		return errors.New("delivery/migrate: otro proceso lleva un minuto migrando el diario: espere a que termine y repita la orden")
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+lockName+")") // else it ends with the connection
	}()
	return f()
}

func open(url string) (*sql.DB, error) {
	c, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
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
