package cache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// patience is how long Redis may take to answer, dialling included.
const patience = 150 * time.Millisecond

// envelopeVersion is the format of what is stored; another one is a miss.
const envelopeVersion = 1

// remote is Redis. The keys of one name share a hash tag, so that a value and
// the generation of its name are read in one round trip, in a cluster too:
//
//	<prefix>{name}:generation   a random word; missing: all values expired
//	<prefix>{name}:value:<key>  an envelope
type remote struct {
	client redis.UniversalClient
	owned  bool
	prefix string
}

// envelope is what is stored of a value.
type envelope struct {
	Version    int             `json:"v"`
	Generation string          `json:"gen"`
	LoadedAt   int64           `json:"at"` // Unix milliseconds
	Value      json.RawMessage `json:"value"`
}

// found is what one read of Redis told.
type found struct {
	generation string // of the name; "": there is none yet
	envelope   *envelope
}

var (
	errUnreadable = errors.New("cache: unreadable entry")
	errConfigURL  = errors.New("cache: Config.URL is not a Redis address: it should read redis://user:password@host:6379/0, or rediss:// for TLS, with reserved characters of the password percent-encoded")
)

func newRemote(cfg Config) (*remote, error) {
	if cfg.Redis != nil {
		return &remote{client: cfg.Redis, prefix: cfg.Prefix}, nil
	}
	if cfg.URL == "" {
		return nil, nil
	}
	options, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errConfigURL // the cause may quote the password
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = patience, patience, patience
	options.PoolTimeout = patience
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true
	// One round trip at connecting, nothing that a Redis of another kind lacks.
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &remote{client: redis.NewClient(options), owned: true, prefix: cfg.Prefix}, nil
}

func (r *remote) generationKey(name string) string { return r.prefix + "{" + name + "}:generation" }

func (r *remote) valueKey(name, key string) string { return r.prefix + "{" + name + "}:value:" + key }

// get reads a value and its generation. An envelope that is expired by its
// generation is none; one that cannot be read is errUnreadable.
func (r *remote) get(ctx context.Context, name, key string) (found, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	values, err := r.client.MGet(ctx, r.generationKey(name), r.valueKey(name, key)).Result()
	if err != nil {
		return found{}, err
	}
	var f found
	f.generation, _ = values[0].(string)
	raw, there := values[1].(string)
	if !there || f.generation == "" {
		return f, nil
	}
	var e envelope
	if err := json.Unmarshal([]byte(raw), &e); err != nil || e.Version != envelopeVersion || e.LoadedAt == 0 {
		return f, errUnreadable
	}
	if e.Generation == f.generation {
		f.envelope = &e
	}
	return f, nil
}

// set stores a value that was loaded while the name was of that generation. An
// invalidation since then wins: the envelope carries the old generation.
func (r *remote) set(ctx context.Context, name, key, generation string, value json.RawMessage, at time.Time, keep time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	raw, err := json.Marshal(envelope{envelopeVersion, generation, at.UnixMilli(), value})
	if err != nil {
		return err
	}
	return r.client.Set(ctx, r.valueKey(name, key), raw, keep).Err()
}

// begin gives a name its first generation, and returns the one it then has.
func (r *remote) begin(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var got *redis.StringCmd
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SetNX(ctx, r.generationKey(name), rand.Text(), 0)
		got = p.Get(ctx, r.generationKey(name))
		return nil
	})
	if err != nil {
		return "", err
	}
	return got.Result()
}

func (r *remote) invalidate(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, n := range names {
			p.Set(ctx, r.generationKey(n), rand.Text(), 0)
		}
		return nil
	})
	return err
}

func (r *remote) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("cache: Redis: %w", err)
	}
	return nil
}
