package intake

import (
	"context"
	"database/sql"
	"fmt"
)

// lockWait is how many seconds a load waits for another one: as long as the
// server may need to notice that one was killed.
const lockWait = 1

// lockName is a lock's name for the schema in use: locks are the server's, not
// the schema's, and a name has at most 64 characters.
// https://dev.mysql.com/doc/refman/9.7/en/locking-functions.html
const lockName = "LEFT(CONCAT('ccm_intake.', DATABASE()), 64)"

// locked runs f with the one connection that everything of the load goes over,
// while that holds the schema's lock: whoever loses the one loses the other, and
// what was not committed.
func (l *Loader) locked(ctx context.Context, f func(*sql.Conn) error) error {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return databaseError(err)
	}
	defer conn.Close()
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d)", lockName, lockWait)).Scan(&got); err != nil {
		return databaseError(err)
	}
	if got.Int64 != 1 {
		return &Error{Code: codeBusy, Message: "ya hay otra carga en curso: espere a que termine", Err: ErrBusy}
	}
	defer func() { // a failure ends the connection, and with it the lock
		_ = conn.QueryRowContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK("+lockName+")").Scan(&got)
	}()
	return f(conn)
}
