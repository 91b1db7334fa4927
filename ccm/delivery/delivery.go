package delivery

import (
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
)

// What a zero [Config] means, and what is fixed.
const (
	DefaultRetention = 30 * 24 * time.Hour
	DefaultMaxConns  = 8
	// Lease is how long a claim lasts without a sign of life of its holder.
	Lease = 60 * time.Second
	// KeepRows is how long a delivery is kept at all.
	KeepRows = 365 * 24 * time.Hour
)

// Config says where the journal is. Only URL is needed.
type Config struct {
	// URL of a schema that the journal has for itself; any that store.Config takes.
	URL string
	// Retention is how long texts are kept, which hold names, and what was asked
	// for: see [Journal.Purge]. Zero: 30 days.
	Retention time.Duration
	// MaxConns is the most connections held open. Zero: 8.
	MaxConns int
}

// Journal is a [ccm.Journal] in MySQL. It is safe for concurrent use, and is
// made by [Open].
type Journal struct {
	db        *sql.DB
	retention time.Duration

	mu     sync.Mutex
	claims map[string]*claim // by delivery
	wake   chan struct{}     // of the keeper
	stop   func()            // ends the keeper; nil before it runs
	closed bool
}

var _ ccm.Journal = (*Journal)(nil)

// Open returns the journal of cfg. It dials nothing: an error means that cfg
// cannot work, and says which part of it.
func Open(cfg Config) (*Journal, error) {
	if cfg.Retention < 0 || cfg.MaxConns < 0 {
		return nil, fmt.Errorf("delivery: Config.Retention (%v) and Config.MaxConns (%d) must be 0 (%v, %d) or more",
			cfg.Retention, cfg.MaxConns, DefaultRetention, DefaultMaxConns)
	}
	if cfg.Retention == 0 {
		cfg.Retention = DefaultRetention
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = DefaultMaxConns
	}
	connector, err := store.Connector(store.Config{URL: cfg.URL})
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(cfg.MaxConns)
	db.SetMaxIdleConns(cfg.MaxConns)
	db.SetConnMaxIdleTime(3 * time.Minute)
	db.SetConnMaxLifetime(10 * time.Minute)
	return &Journal{db: db, retention: cfg.Retention, claims: map[string]*claim{}, wake: make(chan struct{}, 1)}, nil
}

// Close ends the connections and stops renewing claims: what is still being sent
// is another's after [Lease]. Close again does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	stop, again := j.stop, j.closed
	j.stop, j.closed = nil, true
	j.mu.Unlock()
	if again {
		return nil
	}
	if stop != nil {
		stop()
	}
	return j.db.Close()
}
