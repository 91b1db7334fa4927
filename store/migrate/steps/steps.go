// Package steps is what the migrations of every schema of ours have in common:
// goose under a lock, and a look that changes nothing. Its users are
// [github.com/ccmwf/ccm/store/migrate] and
// [github.com/ccmwf/ccm/ccm/delivery/migrate]; call those.
//
//  1. [Open] the database, and say with [Tables] and [Steps.Status] what it has.
//  2. [Steps.Locked] keeps other processes out while [Steps.Up] applies the rest.
//
// Errors are classified as those of package store.
package steps

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/ccmwf/ccm/store"
)

// Migration is one step of a schema.
type Migration struct {
	Version int64  // from 1 on
	Name    string // "" of one that a later program applied
	Applied bool
}

// Pending counts what is not applied.
func Pending(all []Migration) int {
	n := 0
	for _, m := range all {
		if !m.Applied {
			n++
		}
	}
	return n
}

// Steps are the migrations of one schema.
type Steps struct {
	Files embed.FS // its folder migrations has files as 00001_name.sql, each of at most one DDL statement: MySQL commits at each
	Table string   // where goose keeps what was applied
	Lock  string   // begins the name of the lock, which the schema's name ends
}

// Open opens a database for migrations: nothing bounds a statement. It dials
// nothing. url is any that [store.Config] takes.
func Open(url string) (*sql.DB, error) {
	c, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// Names are those of tables and views. Servers differ in whether case counts.
type Names []string

// Has reports whether a name is among them, in any case.
func (n Names) Has(name string) bool {
	return slices.ContainsFunc(n, func(t string) bool { return strings.EqualFold(t, name) })
}

// Tables lists the tables and views of the schema in use.
func Tables(ctx context.Context, db *sql.DB) (Names, error) {
	return Texts(ctx, db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
}

// Later reports whether a later program than this one migrated the schema.
func Later(all []Migration) bool {
	return slices.ContainsFunc(all, func(m Migration) bool { return m.Name == "" })
}

// Status lists all the migrations, by version, and says of each whether it is
// applied; those that a later program applied come last. goose's own Status would
// make its table first.
func (s Steps) Status(ctx context.Context, db *sql.DB, tables Names) ([]Migration, error) {
	all := s.All()
	if !tables.Has(s.Table) {
		return all, nil
	}
	versions, err := Texts(ctx, db, "SELECT DISTINCT version_id FROM "+s.Table+" WHERE is_applied = 1 ORDER BY version_id")
	for i := range all {
		all[i].Applied = slices.Contains(versions, fmt.Sprint(all[i].Version))
	}
	last := all[len(all)-1].Version
	for _, v := range versions {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > last {
			all = append(all, Migration{Version: n, Applied: true})
		}
	}
	return all, err
}

// All lists the migrations in this program, as a database without them has them.
func (s Steps) All() []Migration {
	entries, _ := s.Files.ReadDir("migrations") // embedded: it is there
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

// Up applies what is missing. A run that was cut is finished by the next one.
func (s Steps) Up(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(s.Files, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectMySQL, db, files,
		goose.WithTableName(s.Table),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return store.Classify("migrate", err)
}

// lockWait is how long Locked waits for another process that migrates.
const lockWait = time.Minute

// ErrBusy is what [Steps.Locked] answers when that was not enough.
var ErrBusy = errors.New("another process has been migrating this database for a minute: wait for it to end and try again")

// Locked runs f while it holds the schema's lock, which the server frees by
// itself when the connection ends. goose has a place for such a lock but looks
// at the database, and makes its table, before it takes it.
func (s Steps) Locked(ctx context.Context, db *sql.DB, f func() error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return store.Classify("migrate", err)
	}
	defer conn.Close()
	// Locks are the server's, not the schema's, and a name has at most 64 characters.
	// https://dev.mysql.com/doc/refman/9.7/en/locking-functions.html
	name := "LEFT(CONCAT('" + s.Lock + ".', DATABASE()), 64)"
	var got sql.NullInt64
	query := fmt.Sprintf("SELECT GET_LOCK(%s, %d)", name, int(lockWait.Seconds()))
	if err := conn.QueryRowContext(ctx, query).Scan(&got); err != nil {
		return store.Classify("migrate", err)
	}
	if got.Int64 != 1 {
		return ErrBusy
	}
	defer func() {
		var freed sql.NullInt64
		release := conn.QueryRowContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK("+name+")").Scan(&freed)
		err = errors.Join(err, store.Classify("migrate", release))
	}()
	return f()
}

// Texts returns the first column of a query.
func Texts(ctx context.Context, db *sql.DB, query string) (all []string, err error) {
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
