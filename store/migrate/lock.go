package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ccmwf/ccm/store"
)

// lockWait is how long Up waits for another process that migrates.
const lockWait = time.Minute

// lockName is a lock's name for the schema in use: locks are the server's, not
// the schema's, and a name has at most 64 characters.
// https://dev.mysql.com/doc/refman/9.7/en/locking-functions.html
const lockName = "LEFT(CONCAT('ccm_migraciones.', DATABASE()), 64)"

// locked runs f while it holds the schema's lock, which the server frees by
// itself when the connection ends. goose has a place for such a lock but looks
// at the database, and makes its table, before it takes it.
func locked(ctx context.Context, db *sql.DB, f func() error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return store.Classify("migrate", err)
	}
	defer conn.Close()
	var got sql.NullInt64
	query := fmt.Sprintf("SELECT GET_LOCK(%s, %d)", lockName, int(lockWait.Seconds()))
	if err := conn.QueryRowContext(ctx, query).Scan(&got); err != nil {
		return store.Classify("migrate", err)
	}
	if got.Int64 != 1 {
		return errors.New("store/migrate: another process has been migrating this database for a minute: wait for it to end and try again")
	}
	defer func() {
		var freed sql.NullInt64
		release := conn.QueryRowContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK("+lockName+")").Scan(&freed)
		err = errors.Join(err, store.Classify("migrate", release))
	}()
	return f()
}
