package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
)

// What a zero [Config] means.
const (
	DefaultPrefix   = "ccm:"
	DefaultMaxBytes = 32 << 20
)

// Config says where values are kept. The zero Config is memory only, 32 MiB.
type Config struct {
	// URL is a Redis, redis://[user:password@]host:port/db or rediss:// for TLS.
	// It is dialled at its first use, with time-outs of 150 ms. Empty: memory only.
	URL string
	// Redis is the caller's own client instead; Close leaves it open. It wants
	// short time-outs of its own, MaxRetries -1 and ContextTimeoutEnabled.
	// It excludes URL.
	Redis redis.UniversalClient
	// Prefix begins every key in Redis. Zero: [DefaultPrefix].
	Prefix string
	// MaxBytes bounds the memory that values take, measured by their JSON. Zero:
	// [DefaultMaxBytes]. What was used least goes first.
	MaxBytes int64
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Backend is where the values of many caches are kept. It is safe for
// concurrent use.
type Backend struct {
	memory *otter.Cache[id, *item]
	remote *remote // nil: memory only
	now    func() time.Time
	counts counts

	mu          sync.Mutex
	generations map[string]*atomic.Uint64 // by name: how often it was invalidated here
	flights     map[flightID]*flight
}

// id is where a value is in memory.
type id struct{ name, key string }

// item is a value in memory.
type item struct {
	value      any
	loadedAt   time.Time
	size       uint32 // of its JSON, in bytes
	generation uint64 // of its name, when its load began
}

// Open makes a Backend. It dials nothing; an error names the field of cfg and
// never shows the URL.
func Open(cfg Config) (*Backend, error) {
	if cfg.URL != "" && cfg.Redis != nil {
		return nil, errors.New("cache: Config.URL and Config.Redis exclude each other: leave one empty")
	}
	if cfg.MaxBytes < 0 {
		return nil, fmt.Errorf("cache: Config.MaxBytes is %d: it must be 0 (%d) or more", cfg.MaxBytes, DefaultMaxBytes)
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.Prefix == "" {
		cfg.Prefix = DefaultPrefix
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	remote, err := newRemote(cfg)
	if err != nil {
		return nil, err
	}
	memory, err := otter.New(&otter.Options[id, *item]{
		MaximumWeight: uint64(cfg.MaxBytes),
		Weigher:       func(k id, i *item) uint32 { return i.size + uint32(len(k.name)+len(k.key)) },
	})
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return &Backend{
		memory: memory, remote: remote, now: cfg.Now,
		generations: map[string]*atomic.Uint64{}, flights: map[flightID]*flight{},
	}, nil
}

// Invalidate drops every value of the named caches, here and in Redis, so that
// the next Get loads; with no name, those of every cache of this Backend. A
// load under way is not stored. Other processes keep what they have in memory
// until it is no longer fresh. Failing to reach Redis is an error: the values
// are dropped here all the same, but other processes may still find them.
func (b *Backend) Invalidate(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		b.mu.Lock()
		names = slices.Sorted(maps.Keys(b.generations))
		b.mu.Unlock()
	}
	for _, n := range names {
		b.generation(n).Add(1)
	}
	if b.remote == nil || len(names) == 0 {
		return nil
	}
	if err := b.remote.invalidate(ctx, names); err != nil {
		return fmt.Errorf("cache: invalidate in Redis: %w", err)
	}
	return nil
}

// generation counts the invalidations of a name in this process.
func (b *Backend) generation(name string) *atomic.Uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.generations[name]
	if g == nil {
		g = new(atomic.Uint64)
		b.generations[name] = g
	}
	return g
}

// Ping reaches Redis. Nil with memory only.
func (b *Backend) Ping(ctx context.Context) error {
	if b.remote == nil {
		return nil
	}
	return b.remote.ping(ctx)
}

// Close frees the memory, and the connections of Config.URL. Loads under way
// go on and are not stored.
func (b *Backend) Close() error {
	b.memory.InvalidateAll()
	b.memory.StopAllGoroutines()
	if b.remote == nil || !b.remote.owned {
		return nil
	}
	return b.remote.client.Close()
}
