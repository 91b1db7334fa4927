package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// lease is how long a lock outlives a holder that died; one that lives extends it.
const lease = 2 * time.Second

// remote is Redis. All keys of a name share a hash tag, so that a value and its
// generations are read in one round trip, in a Cluster too:
//
//	<prefix>{name}:gen          a random word; missing: all values expired
//	<prefix>{name}:gen:<level>  the same of a key, and of each key that it is below
//	<prefix>{name}:data:<key>   an envelope
//	<prefix>{name}:lock:<key>   who loads it
//
// and the channel <prefix>changed tells what no longer counts.
type remote struct {
	client   redis.UniversalClient
	owned    bool
	prefix   string
	patience time.Duration
	counts   *counts
	breaker  breaker
	listener listener
	stop     context.CancelFunc // ends listening
	ctx      context.Context    //nolint:containedctx // the life of the listener

	mu     sync.Mutex
	failed string // the key of the last failure
}

func newRemote(cfg Config, b *Backend) (*remote, error) {
	r := &remote{client: cfg.Redis, prefix: cfg.Prefix, patience: cfg.Patience, counts: &b.counts}
	if r.client == nil {
		if cfg.URL == "" {
			return nil, nil
		}
		var err error
		if r.client, err = Dial(cfg.URL, cfg.Patience); err != nil {
			return nil, err
		}
		r.owned = true
	}
	suspect := func() { b.epoch.Add(1) }
	r.listener = listener{client: r.client, channel: cfg.Prefix + "changed", self: rand.Text(), changed: b.changed, suspect: suspect}
	r.failed = r.listener.channel // until there is one
	r.breaker = breaker{try: r.try, closes: suspect, done: b.done, pending: map[invalidation]uint64{}}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

func (r *remote) close() error {
	r.stop()
	if !r.owned {
		return nil
	}
	return r.client.Close()
}

// do asks Redis, unless it is known to be away. What is no answer trips the
// breaker; an answer that refuses is quick, and does not.
func (r *remote) do(ctx context.Context, key string, ask func(context.Context) error) error {
	if !r.breaker.allows() {
		return ErrAway
	}
	patient, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	err := ask(patient)
	switch {
	case err == nil:
		r.listener.start(r.ctx)
		return nil
	case ctx.Err() != nil: // who asked has no time left: that says nothing of Redis
		return err
	}
	r.counts.redisErrors.Add(1)
	r.mu.Lock()
	r.failed = key
	r.mu.Unlock()
	if refused := redis.Error(nil); !errors.As(err, &refused) {
		r.breaker.trip()
	}
	return err
}

// try asks the node that failed, and tells Redis what it was not told.
func (r *remote) try(owed []invalidation) error {
	r.mu.Lock()
	key := r.failed
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.ctx, 4*r.patience) // nobody waits, and it may have to dial
	defer cancel()
	if c, ok := r.client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx) // else it asks a master that died until that tells it to go elsewhere
	}
	if err := r.client.Exists(ctx, key).Err(); err != nil || len(owed) == 0 {
		return err
	}
	if err := r.tell(ctx, owed); !errors.Is(err, errUntold) {
		return err
	}
	return nil // Redis knows; another generation would end what was loaded since
}

// ping does with a key of its own what a Get, a load and an invalidation do, and
// looks whether the other processes are heard. Nobody heeds its message.
func (r *remote) ping(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	keys := []string{r.prefix + "ping"}
	_, err := r.client.Pipelined(patient, func(p redis.Pipeliner) error {
		pingScript.Eval(patient, p, keys, r.listener.channel)
		pingScript.EvalSha(patient, p, keys, r.listener.channel)
		return nil
	})
	if err == nil {
		r.listener.start(r.ctx)
		patient, cancel := context.WithTimeout(ctx, pause+pause/2)
		defer cancel()
		if err = r.breaker.check(patient); err == nil {
			err = r.listener.check(patient)
		}
	}
	if err != nil {
		return fmt.Errorf("cache: Redis: %w", err)
	}
	return nil
}

func (r *remote) generation(name, level string) string {
	if level == "" {
		return r.prefix + "{" + name + "}:gen"
	}
	return r.prefix + "{" + name + "}:gen:" + level
}

// A generation says how it came to be, so that a Redis that forgot can be told
// from one that was told.
const (
	born  = "n" // there was none
	ended = "i" // by an invalidation
)

// ends reports whether an invalidation came between the generations of then,
// joined, and those of now. Of unknown ones nobody can tell.
func ends(then string, now []string) bool {
	if then == "" {
		return false
	}
	for i, word := range strings.Split(then, ",") {
		if i < len(now) && word != now[i] && strings.HasPrefix(now[i], ended) {
			return true
		}
	}
	return false
}

// place is where an entry is in Redis.
type place struct {
	name, key string
	keys      []string // the generations, the value, the lock
	policy    *Policy
}

func (r *remote) place(name, key string, p *Policy) place {
	keys := []string{r.generation(name, "")}
	for _, level := range levels(key) {
		keys = append(keys, r.generation(name, level))
	}
	tagged := r.prefix + "{" + name + "}:"
	return place{name, key, append(keys, tagged+"data:"+key, tagged+"lock:"+key), p}
}

func (p place) generations() int { return len(p.keys) - 2 }
func (p place) value() string    { return p.keys[len(p.keys)-2] }
func (p place) lock() string     { return p.keys[len(p.keys)-1] }

// found is what Redis told of an entry.
type found struct {
	generations []string // nil: one is missing, all that is there expired
	value       string   // raw; "": none
	holder      string   // of the lock, where it was asked
}

// read parses the generations, the value and, of a claim, the holder.
func (p place) read(reply []any) (found, error) {
	n := p.generations()
	if len(reply) < n+1 {
		return found{}, errors.New("cache: Redis answered something else")
	}
	var f found
	for _, g := range reply[:n] {
		word, there := g.(string)
		if !there {
			f.generations = nil
			break
		}
		f.generations = append(f.generations, word)
	}
	f.value, _ = reply[n].(string)
	if len(reply) > n+1 {
		f.holder, _ = reply[n+1].(string)
	}
	return f, nil
}

// get reads an entry.
func (r *remote) get(ctx context.Context, p place) (f found, err error) {
	err = r.do(ctx, p.value(), func(ctx context.Context) error {
		reply, err := r.client.MGet(ctx, p.keys[:len(p.keys)-1]...).Result()
		if err == nil {
			f, err = p.read(reply)
		}
		return err
	})
	return f, err
}

// claim reads an entry, makes sure of its generations, and takes its lock if
// that is free. known is the value that the caller has seen.
func (r *remote) claim(ctx context.Context, p place, token, known string) (f found, err error) {
	args := []any{token, lease.Milliseconds(), p.policy.keepGeneration().Milliseconds(), idOf(known)}
	for range p.generations() {
		args = append(args, born+rand.Text())
	}
	err = r.do(ctx, p.value(), func(ctx context.Context) error {
		reply, err := claimScript.Run(ctx, r.client, p.keys, args...).Slice()
		if err == nil {
			f, err = p.read(reply)
		}
		return err
	})
	if f.value == "=" {
		f.value = known
	}
	return f, err
}

// anyValue has a store replace whatever is there.
const anyValue = "*"

// store stores a value of the generations that were there when its load began,
// and says whether it counts: not if its key was invalidated since, or another
// value came into the place of known. raw "" deletes. tell has the other
// processes drop their copies.
func (r *remote) store(ctx context.Context, p place, token, known, raw string, life time.Duration, generations []string, tell bool) (stored bool, err error) {
	text := ""
	if tell {
		text = message{r.listener.self, replaced, p.name, p.key}.String()
	}
	if known != anyValue {
		known = idOf(known)
	}
	args := []any{token, known, raw, max(1, life.Milliseconds()), p.policy.keepGeneration().Milliseconds(), r.listener.channel, text}
	for _, g := range generations {
		args = append(args, g)
	}
	err = r.do(ctx, p.value(), func(ctx context.Context) error {
		n, err := storeScript.Run(ctx, r.client, p.keys, args...).Int()
		stored = n == 1
		return err
	})
	return stored, err
}

// hold extends a lock until release is called, or ctx ends.
func (r *remote) hold(ctx context.Context, p place, token string) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		ticker := time.NewTicker(lease / 4)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = r.extend(ctx, p, token, lease) // one that is lost costs a load
			}
		}
	}()
	return cancel
}

// extend gives the holder of a lock more time; 0 frees it.
func (r *remote) extend(ctx context.Context, p place, token string, more time.Duration) error {
	return r.do(ctx, p.lock(), func(ctx context.Context) error {
		return extendScript.Run(ctx, r.client, []string{p.lock()}, token, more.Milliseconds()).Err()
	})
}

// invalidate tells Redis, and by it the other processes.
func (r *remote) invalidate(ctx context.Context, all []invalidation) error {
	return r.do(ctx, r.generation(all[0].name, all[0].key), func(ctx context.Context) error { return r.tell(ctx, all) })
}

// errUntold is of an invalidation that Redis knows, and that the other processes
// were not told of.
var errUntold = errors.New("the other processes notice within Policy.Memory, for Redis did not tell them")

// tell gives what was invalidated new generations, and tells the others at once.
func (r *remote) tell(ctx context.Context, all []invalidation) error {
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, v := range all {
			p.Set(ctx, r.generation(v.name, v.key), ended+rand.Text(), v.life)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, v := range all {
			p.Publish(ctx, r.listener.channel, message{r.listener.self, invalidated, v.name, v.key}.String())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errUntold, err)
	}
	return nil
}

// newToken is of one holder of a lock.
func newToken() string { return rand.Text() }
