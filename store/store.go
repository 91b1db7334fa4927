package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// What a zero [Config] means.
const (
	DefaultMaxConns     = 8
	DefaultQueryTimeout = 5 * time.Second
)

const (
	// connMaxLifetime also bounds how long a session keeps an offset from UTC
	// that a change to or from summer time has made wrong.
	connMaxLifetime = 10 * time.Minute
	connMaxIdleTime = 3 * time.Minute

	// answerGrace is how much longer than the server's own limit the client
	// waits, so that the server's error arrives and the connection survives.
	answerGrace = 500 * time.Millisecond
)

// Config says which database to ask and how patient to be. Only URL is needed.
type Config struct {
	// URL is mysql://user:password@host:3306/database, with mysql+pymysql://,
	// mysql+mysqldb://, mariadb:// or mariadb+…:// instead of mysql:// if one
	// likes, or a go-sql-driver DSN (user:password@tcp(host:3306)/database).
	// In a URL the password ends at the first @ (write %40 for one inside) and
	// is percent-decoded where it decodes; [URL] makes one from its parts.
	//
	// Of the query parameters these count: connect_timeout, read_timeout,
	// write_timeout (seconds), unix_socket, charset (always utf8mb4), and for
	// TLS ssl, ssl_mode, ssl_ca, ssl_cert, ssl_key, ssl_disabled,
	// ssl_verify_cert, ssl_verify_identity, ssl_check_hostname. Without any,
	// TLS is used if the server offers it, and no certificate is verified;
	// with ssl_ca the certificate and the host name are. Other parameters are
	// never passed on, see [Store.Warnings].
	URL string

	// MaxConns is the most connections held open; all may idle, for 3 minutes,
	// and none lives longer than 10. Zero: [DefaultMaxConns].
	MaxConns int

	// QueryTimeout bounds one query, on the server too (max_execution_time or
	// max_statement_time), so that one whose caller is gone does not go on.
	// Zero: [DefaultQueryTimeout]. Negative: no limit, for bulk work on a
	// [Connector].
	QueryTimeout time.Duration

	// Feb29 says where a birthday of 29 February falls in a year that has none.
	// Zero or time.February: 28 February; time.March: 1 March.
	Feb29 time.Month

	// Location is the zone of the session, so that a view's CURDATE() is today
	// at the centre, not at the server. Nil: the server's own.
	Location *time.Location
}

func (c Config) withDefaults() (Config, error) {
	if c.URL == "" {
		return c, errors.New("store: Config.URL is empty: it says which database to ask, for instance mysql://user:password@host:3306/database")
	}
	if c.MaxConns < 0 {
		return c, fmt.Errorf("store: Config.MaxConns is %d: it must be 0 (%d connections) or more", c.MaxConns, DefaultMaxConns)
	}
	if c.MaxConns == 0 {
		c.MaxConns = DefaultMaxConns
	}
	if c.QueryTimeout == 0 {
		c.QueryTimeout = DefaultQueryTimeout
	}
	switch c.Feb29 {
	case 0:
		c.Feb29 = time.February
	case time.February, time.March:
	default:
		return c, fmt.Errorf("store: Config.Feb29 is %d: it must be time.February (28 February) or time.March (1 March)", c.Feb29)
	}
	return c, nil
}

// Store asks the four questions. It is safe for concurrent use.
type Store struct {
	db       *sql.DB
	cfg      Config
	place    string
	warnings []string
}

// Open returns a Store for cfg. It dials nothing: an error means that cfg
// cannot work, and says which part of it; a certificate file that ssl_ca names
// is read.
func Open(cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, warnings, err := newConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(cfg.MaxConns)
	db.SetMaxIdleConns(cfg.MaxConns)
	db.SetConnMaxIdleTime(connMaxIdleTime)
	db.SetConnMaxLifetime(connMaxLifetime)
	return &Store{db: db, cfg: cfg, place: c.place, warnings: warnings}, nil
}

// Warnings lists, in Spanish, what Open found odd in Config.URL and went on
// without: query parameters that are not passed on. It shows names, never
// values. Nil: nothing was odd.
func (s *Store) Warnings() []string { return s.warnings }

// Identity tells apart the Stores whose answers may differ for the same
// question: by server, database, and the rules of Config. It is a short hash,
// fit for the key of a cache that several programs share; who asks, and the
// password, are not in it.
func (s *Store) Identity() string {
	sum := sha256.Sum256(fmt.Append(nil, s.place, " ", s.cfg.Feb29, " ", s.cfg.Location))
	return hex.EncodeToString(sum[:6])
}

// Ping reaches the database, dialling if need be.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return Classify("ping", s.db.PingContext(ctx))
}

// Close ends the connections; queries under way fail.
func (s *Store) Close() error { return s.db.Close() }

// bounded is ctx with a deadline a little after the server's own limit.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.cfg.QueryTimeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.cfg.QueryTimeout+answerGrace)
}
