package redisgate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/rates"
)

// DefaultPrefix is what a zero Config.Prefix means.
const DefaultPrefix = "ccm:"

const (
	// patience is how long Redis may take to answer, dialling included.
	patience = 150 * time.Millisecond
	// absence is how long Redis is not asked again once it did not answer.
	absence = time.Second
	// maxHold is what a longer hold is kept as: numbers in Redis' scripts are exact
	// up to 285 years.
	maxHold = 100 * 365 * 24 * time.Hour
)

// Config says where the places are kept.
type Config struct {
	// URL is a Redis, redis://[user:password@]host:port/db or rediss:// for TLS.
	// It is dialled at its first use, with time-outs of 150 ms.
	URL string
	// Redis is the caller's own client instead; Close leaves it open. It wants
	// MaxRetries -1 and ContextTimeoutEnabled. It excludes URL; one of them is needed.
	Redis redis.UniversalClient
	// Prefix begins every key. Zero: [DefaultPrefix].
	Prefix string
	// Bot tells the bots apart that share a Redis, such as by the id that begins
	// a token: letters, digits, - and _. Zero: "bot".
	Bot string
}

// Format prints c without the URL, which may hold a password, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "redisgate.Config{Prefix:%q Bot:%q}", c.Prefix, c.Bot)
}

// Gate is a [telegram.Gate]. It is safe for concurrent use, and is made by Open.
type Gate struct {
	client   redis.UniversalClient
	owned    bool
	prefix   string
	script   *redis.Script
	patience time.Duration
	memory   telegram.Gate // while Redis is away
	back     atomic.Int64  // when Redis is asked again, in Unix nanoseconds
}

var _ telegram.Gate = (*Gate)(nil)

var botForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Open makes a Gate. It dials nothing; an error names the field of cfg and never
// shows the URL.
func Open(cfg Config) (*Gate, error) {
	cfg.Bot = cmp.Or(cfg.Bot, "bot")
	switch {
	case cfg.URL != "" && cfg.Redis != nil:
		return nil, errors.New("redisgate: Config.URL and Config.Redis exclude each other: leave one empty")
	case cfg.URL == "" && cfg.Redis == nil:
		return nil, errors.New("redisgate: Config.URL is empty: it should read redis://user:password@host:6379/0")
	case !botForm.MatchString(cfg.Bot):
		return nil, errors.New("redisgate: Config.Bot must be letters, digits, - and _")
	}
	g := &Gate{
		client:   cfg.Redis,
		prefix:   cmp.Or(cfg.Prefix, DefaultPrefix) + "{telegram:" + cfg.Bot + "}:",
		script:   script,
		patience: patience,
		memory:   telegram.NewGate(),
	}
	if cfg.Redis == nil {
		options, err := redis.ParseURL(cfg.URL)
		if err != nil { // the cause may quote the password
			return nil, errors.New("redisgate: Config.URL is not a Redis address: it should read redis://user:password@host:6379/0, or rediss:// for TLS, with reserved characters of the password percent-encoded")
		}
		g.client, g.owned = redis.NewClient(patient(options)), true
	}
	return g, nil
}

// patient makes a client give up soon.
func patient(o *redis.Options) *redis.Options {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	// One round trip at connecting, nothing that a Redis of another kind lacks.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o
}

// Close ends the connections to Config.URL. The Gate goes on in memory.
func (g *Gate) Close() error {
	if !g.owned {
		return nil
	}
	return g.client.Close()
}

// Wait returns when a message may be written to chat; see [telegram.Gate].
func (g *Gate) Wait(ctx context.Context, chat string) error {
	if ctx == nil {
		return errNilContext
	}
	for {
		p, err := g.pass(ctx, chat)
		if err == nil && p.state == isHeld {
			err = sitOut(ctx, p.wait)
		}
		switch {
		case errors.Is(err, errAway):
			return g.memory.Wait(ctx, chat)
		case err != nil || p.state == isTaken:
			return err
		}
	}
}

// pass queues for the chat first and takes a place of the bot last: who waits for
// a busy chat takes nothing from the others. With that goes a place of the chat
// for the moment of the write: those who waited long for the bot do not go out
// together. Who finds the chat held gives all back, and queues again after that.
func (g *Gate) pass(ctx context.Context, chat string) (p place, err error) {
	var taken []bucket
	defer func() {
		if err != nil || p.state != isTaken {
			g.giveBack(ctx, taken)
		}
	}()
	for _, s := range []struct {
		do      string
		buckets []bucket
	}{
		{"queue", g.chatBuckets("queue", chat)},
		{"write", append([]bucket{g.botBucket()}, g.chatBuckets("write", chat)...)},
		{"queue", nil}, // was it held meanwhile?
	} {
		if s.buckets == nil && p.wait == 0 {
			break
		}
		if p, err = g.take(ctx, s.do, chat, s.buckets); err != nil || p.state != isTaken {
			return p, err
		}
		taken = append(taken, s.buckets...)
		if err = rates.Pause(ctx, p.wait); err != nil {
			return p, err
		}
	}
	return p, nil
}

// sitOut waits for a hold to end, or a chat to have a place.
func sitOut(ctx context.Context, wait time.Duration) error {
	if room, bounded := rates.Room(ctx); bounded && wait > room {
		return noPlace(wait)
	}
	return rates.Pause(ctx, wait)
}

// noPlace is the error of a wait that would go beyond the deadline.
func noPlace(wait time.Duration) error {
	return &telegram.Error{Method: "sendMessage", Outcome: telegram.RateLimited, RetryAfter: wait,
		Err: errors.New("the rates of Telegram leave no place before the deadline")}
}

var errNilContext = fmt.Errorf("redisgate: %w ctx: it is nil; context.Background() is one without a deadline", telegram.ErrInvalid)

// Hold lets nothing more through to chat until then, in every replica. Its error
// says that the others do not know.
func (g *Gate) Hold(ctx context.Context, chat string, until time.Time) error {
	if ctx == nil {
		return errNilContext
	}
	_ = g.memory.Hold(ctx, chat, until) // it does not fail; for when Redis goes away
	if _, err := g.run(ctx, []string{g.holdKey(chat)}, "hold", micros(min(max(0, time.Until(until)), maxHold))); err != nil {
		return fmt.Errorf("redisgate: the hold is of this process only: %w", err)
	}
	return nil
}

// bucket is a limit, and where its places are kept.
type bucket struct {
	key string
	rates.Limit
}

func (g *Gate) chatBuckets(step, chat string) []bucket {
	name := step + ":" + strings.ToLower(chat) // @Canal is @canal
	all := []bucket{{g.prefix + "chat:" + name, rates.Chat}}
	if rates.IsGroup(chat) {
		all = append(all, bucket{g.prefix + "group:" + name, rates.Group})
	}
	return all
}

func (g *Gate) botBucket() bucket { return bucket{g.prefix + "all", rates.Bot} }

func (g *Gate) holdKey(chat string) string { return g.prefix + "hold:" + strings.ToLower(chat) }
