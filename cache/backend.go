package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a zero [Config] means.
const (
	DefaultPrefix   = "ccm:"
	DefaultMaxBytes = 32 << 20
	DefaultPatience = 150 * time.Millisecond
)

// Config says where values are kept. The zero Config is memory only, 32 MiB.
type Config struct {
	// URL is a Redis, dialled at its first use; empty: memory only. rediss:// is TLS, with the system's authorities or those of
	// SSL_CERT_FILE. The forms are go-redis':
	//
	//	redis://user:password@host:6379/0
	//	redis://user:password@host:6379?addr=host2:6379               a Cluster, by some of its nodes
	//	redis://user:password@host:26379/0?master_name=m&addr=host2:26379   Sentinels
	//
	// The user and the password are those of Redis; a user with few rights needs
	//
	//	~ccm:* &ccm:* +ping +select +get +mget +set +del +exists +getrange +pexpire +publish +subscribe +eval +evalsha
	//
	// Sentinels that want their own get these, where the query has Redis' as
	// &username=…&password=….
	URL string
	// Redis is the caller's own client instead; Close leaves it open. It wants
	// short time-outs of its own, MaxRetries -1 and ContextTimeoutEnabled, and must
	// read from masters.
	// It excludes URL.
	Redis redis.UniversalClient
	// Patience is how long Redis may take to answer, dialling included, before it
	// counts as away. Zero: [DefaultPatience].
	Patience time.Duration
	// Prefix begins every key and channel in Redis, and has no braces. Zero:
	// [DefaultPrefix].
	Prefix string
	// MaxBytes bounds the memory that values take: the length of the key and of the
	// encoding, and 288 bytes. What Codec refuses has no length, and is kept all the
	// same. The names of caches share it equally, and each has 4 KiB at least. What
	// was used least goes first, and a value larger than its share at once. Zero:
	// [DefaultMaxBytes]. Negative: no values in memory, each Get asks Redis.
	MaxBytes int64
	// Codec encodes the values for Redis. Nil: [JSON].
	Codec Codec
	// Now is the clock. Nil: time.Now, which a value in memory follows to 10 ms.
	Now func() time.Time
}

// check says what cannot work.
func (cfg Config) check() error {
	switch {
	case cfg.URL != "" && cfg.Redis != nil:
		return errors.New("cache: Config.URL and Config.Redis exclude each other: leave one empty")
	case cfg.MaxBytes < 0 && cfg.URL == "" && cfg.Redis == nil:
		return fmt.Errorf("cache: Config.MaxBytes is %d, which keeps no values in memory, and there is no Config.URL or Redis to keep them: make it 0 (%d) or more", cfg.MaxBytes, DefaultMaxBytes)
	case cfg.Patience < 0:
		return fmt.Errorf("cache: Config.Patience is %v: it must be 0 (%v) or more", cfg.Patience, DefaultPatience)
	case strings.ContainsAny(cfg.Prefix, "{}"):
		return errors.New("cache: Config.Prefix must have no braces: they say which node of a Redis Cluster has a key")
	case cfg.Codec != nil && (cfg.Codec.Name() == "" || strings.ContainsAny(cfg.Codec.Name(), " \t\r\n,")):
		return fmt.Errorf("cache: the name of Config.Codec is %q: it must have no blanks, commas or line ends", cfg.Codec.Name())
	}
	return nil
}

// Backend is where the values of many caches are kept. It is safe for
// concurrent use.
type Backend struct {
	maxBytes uint64  // of memory
	noValues bool    // memory keeps none
	remote   *remote // nil: memory only
	codec    Codec
	clock    clock
	counts   counts
	// epoch is raised when messages of invalidations may have been lost: what is
	// in memory since before is looked up in Redis before it is served again.
	epoch atomic.Uint64
	done  chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool
	shelves map[string]*shelf // by the names of caches
	shares  int               // of the memory; no fewer than shelves
}

// notesOnly bounds the memory of a Backend without values: failures are noted.
const notesOnly = 1 << 20

// Open makes a Backend. It dials nothing; an error names the field of cfg and
// never shows the URL.
func Open(cfg Config) (*Backend, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	b := &Backend{
		maxBytes: uint64(cfg.MaxBytes), noValues: cfg.MaxBytes < 0, codec: cfg.Codec,
		done: make(chan struct{}), shelves: map[string]*shelf{},
	}
	b.clock.given, b.clock.done = cfg.Now, b.done
	switch {
	case b.noValues:
		b.maxBytes = notesOnly
	case cfg.MaxBytes == 0:
		b.maxBytes = DefaultMaxBytes
	}
	if b.codec == nil {
		b.codec = JSON{}
	}
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	if cfg.Prefix == "" {
		cfg.Prefix = DefaultPrefix
	}
	var err error
	if b.remote, err = newRemote(cfg, b); err != nil {
		return nil, err
	}
	return b, nil
}

// Ping reaches Redis and tries there what a cache does, for one that refuses it
// (OOM, READONLY, NOPERM) serves nobody. [ErrDeaf] is of one that serves and
// cannot be listened to, [ErrAway] of one that is well and still left alone: it waits
// for a second and a half for either to end. Of a Cluster it reaches one node. Nil
// with memory only.
func (b *Backend) Ping(ctx context.Context) error {
	if b.remote == nil {
		return nil
	}
	return b.remote.ping(ctx)
}

// Close frees the memory, and the connections of Config.URL. Loads under way
// go on and are not stored. Close again does nothing.
func (b *Backend) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	for _, s := range b.shelves {
		s.items.InvalidateAll()
		s.items.StopAllGoroutines()
	}
	b.mu.Unlock()
	if closed {
		return nil
	}
	close(b.done)
	if b.remote == nil {
		return nil
	}
	return b.remote.close()
}
