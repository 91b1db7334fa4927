package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Connector returns a [driver.Connector] with this package's URL forms, TLS and
// session, for sql.OpenDB: for who wants SQL of their own on the same database,
// with [Classify] for its errors. MaxConns and Feb29 of cfg do not matter to it.
func Connector(cfg Config) (driver.Connector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, _, err := newConnector(cfg)
	return c, err
}

// connector dials and then sets the session up in one round trip.
type connector struct {
	driver.Connector
	place    string // the server and the database
	location *time.Location
	limit    time.Duration // of one query, on the server; not positive: none
}

func newConnector(cfg Config) (*connector, []string, error) {
	t, err := parseURL(cfg.URL)
	if err != nil {
		return nil, nil, err
	}
	t.setTimeouts(cfg.QueryTimeout)
	inner, err := mysql.NewConnector(t.Config)
	if err != nil {
		return nil, nil, fmt.Errorf("store: %w", err)
	}
	place := strings.Join([]string{t.Net, t.Addr, t.DBName}, " ")
	return &connector{inner, place, cfg.Location, cfg.QueryTimeout}, t.warnings, nil
}

// setTimeouts makes the network's limits a bit longer than a query's, so that
// they only cut a connection that is dead. Longer ones of the URL stand. Without
// a limit for queries, dialling still has one.
func (t *target) setTimeouts(query time.Duration) {
	if t.Timeout == 0 {
		t.Timeout = DefaultQueryTimeout
		if query > 0 {
			t.Timeout = query
		}
	}
	if query < 0 {
		return
	}
	network := query + 2*answerGrace
	t.ReadTimeout = max(t.ReadTimeout, network)
	t.WriteTimeout = max(t.WriteTimeout, network)
}

// Connect dials, and sets character set, zone and limit of the session.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, c.session(time.Now()), nil); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// session is the statement that every connection starts with. MySQL reads what
// is in the first kind of comment and MariaDB what is in the second:
// https://mariadb.com/kb/en/comment-syntax/#executable-comment-syntax
func (c *connector) session(now time.Time) string {
	var b strings.Builder
	b.WriteString("SET NAMES utf8mb4")
	if c.location != nil {
		// A numeric zone works without the server's zone tables, which are
		// empty unless somebody has loaded them.
		fmt.Fprintf(&b, ", time_zone = '%s'", now.In(c.location).Format("-07:00"))
	}
	if c.limit > 0 {
		fmt.Fprintf(&b, " /*!50708 , max_execution_time = %d */ /*M!100101 , max_statement_time = %.3f */",
			c.limit.Milliseconds(), c.limit.Seconds())
	}
	return b.String()
}
