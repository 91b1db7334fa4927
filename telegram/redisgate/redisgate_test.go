package redisgate_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/gatetest"
	"github.com/ccmwf/ccm/telegram/internal/rates"
	"github.com/ccmwf/ccm/telegram/redisgate"
)

const person, group = "5512345", "-1001234567890"

// newGate is a gate at url for a machine that has other work too.
func newGate(tb testing.TB, url string) *redisgate.Gate {
	tb.Helper()
	g := mustOpen(tb, redisgate.Config{Redis: newClient(tb, url)})
	redisgate.SetPatience(g, long)
	return g
}

// inBubble is a gate of its own bot at url, for a bubble of testing/synctest,
// whose time stands still while Redis is asked.
func inBubble(tb testing.TB, url, bot string) *redisgate.Gate {
	tb.Helper()
	g := mustOpen(tb, redisgate.Config{Redis: newClient(tb, url), Bot: bot})
	redisgate.UseBubble(g)
	return g
}

// long is a time-out against hanging.
const long = time.Minute

func newClient(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	options.PoolSize = 1000 // nobody waits for a connection
	options.DialTimeout, options.PoolTimeout, options.ReadTimeout, options.WriteTimeout = long, long, long, long
	client := redis.NewClient(options)
	tb.Cleanup(func() { client.Close() })
	return client
}

func mustOpen(tb testing.TB, cfg redisgate.Config) *redisgate.Gate {
	tb.Helper()
	g, err := redisgate.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { g.Close() })
	return g
}

func mini(tb testing.TB) string { return "redis://" + miniredis.RunT(tb).Addr() }

func TestTheGateInRedis(t *testing.T) {
	for name, at := range map[string]func(testing.TB) string{
		"miniredis":                      mini,
		"Redis 8":                        testenv.Redis,
		"as the user that Compose gives": restricted,
	} {
		t.Run(name, func(t *testing.T) {
			url, bots := at(t), 0
			gatetest.Test(t, func(t *testing.T) telegram.Gate {
				bots++
				return inBubble(t, url, fmt.Sprint("bot", bots))
			})
		})
	}
}

// restricted is a Redis as the user of docker/redis/start.
func restricted(tb testing.TB) string {
	tb.Helper()
	address := testenv.Redis(tb)
	start, err := os.ReadFile("../../docker/redis/start")
	if err != nil {
		tb.Fatal(err)
	}
	_, rules, found := strings.Cut(string(start), "user ccm on #$hash ")
	if !found {
		tb.Fatal("docker/redis/start has no user ccm")
	}
	rules, _, _ = strings.Cut(rules, "\n")
	name := fmt.Sprint("gate", os.Getpid()) // the server may be shared with other binaries
	args := []any{"ACL", "SETUSER", name, "reset", "on", ">prueba"}
	for rule := range strings.FieldsSeq(rules) {
		args = append(args, rule)
	}
	client := newClient(tb, address)
	if err := client.Do(tb.Context(), args...).Err(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Do(context.Background(), "ACL", "DELUSER", name) })
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	u.User = url.UserPassword(name, "prueba")
	return u.String()
}

// use takes what there is of a chat's burst, and says how much that was. Outside
// of a bubble a slow machine finds more.
func use(tb testing.TB, g telegram.Gate, chat string) (n int) {
	tb.Helper()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), rates.RequestTime) // no room for a wait
		err := g.Wait(ctx, chat)
		cancel()
		limited, ok := errors.AsType[*telegram.Error](err)
		switch {
		case ok && limited.Outcome == telegram.RateLimited:
			return n
		case err == nil:
			n++
		case !errors.Is(err, context.DeadlineExceeded): // of a machine that is very slow
			tb.Fatal(err)
		}
	}
}

// bubble runs a test with a virtual clock on a miniredis and on a Redis, which
// are outside of it.
func bubble(t *testing.T, name string, test func(t *testing.T, is *is.I, url string)) {
	for server, at := range map[string]func(testing.TB) string{"miniredis": mini, "Redis 8": testenv.Redis} {
		t.Run(name+", on "+server, func(t *testing.T) {
			url := at(t)
			synctest.Test(t, func(t *testing.T) { test(t, is.New(t), url) })
		})
	}
}

func TestReplicas(t *testing.T) {
	bubble(t, "share what there is, and what is held", func(t *testing.T, is *is.I, url string) {
		one, two := inBubble(t, url, "bot"), inBubble(t, url, "bot")
		is.NoErr(one.Wait(t.Context(), "@Canal"))
		is.Equal(use(t, two, "@canal"), rates.Chat.Burst-1)
		is.NoErr(one.Hold(t.Context(), person, time.Now().Add(time.Hour)))
		is.Equal(use(t, two, person), 0)
	})
	bubble(t, "go on when Redis forgets the script", func(t *testing.T, is *is.I, url string) {
		one := inBubble(t, url, "bot")
		is.NoErr(one.Wait(t.Context(), person))
		is.NoErr(newClient(t, url).ScriptFlush(t.Context()).Err())
		is.Equal(use(t, one, person), rates.Chat.Burst-1)
		is.Equal(use(t, inBubble(t, url, "bot"), person), 0) // it was Redis who said so
	})
	bubble(t, "tell bots apart", func(t *testing.T, is *is.I, url string) {
		is.Equal(use(t, inBubble(t, url, "1"), person), rates.Chat.Burst)
		is.Equal(use(t, inBubble(t, url, "2"), person), rates.Chat.Burst)
	})
}

// In the time of Redis itself.
func TestWhatIsLeftInRedis(t *testing.T) {
	for name, at := range map[string]func(testing.TB) string{"miniredis": mini, "Redis 8": testenv.Redis} {
		t.Run("goes by itself, and is in one slot: "+name, func(t *testing.T) {
			is, url := is.New(t), at(t)
			g := newGate(t, url)
			is.NoErr(g.Wait(t.Context(), group))
			is.NoErr(g.Hold(t.Context(), group, time.Now().Add(time.Hour)))
			client := newClient(t, url)
			keys, err := client.Keys(t.Context(), "*").Result()
			is.NoErr(err)
			is.True(slices.Contains(keys, "ccm:{telegram:bot}:hold:"+group)) // the others may have gone already
			for _, key := range keys {
				is.True(strings.HasPrefix(key, "ccm:{telegram:bot}:"))
				left, err := client.PTTL(t.Context(), key).Result()
				is.NoErr(err)
				is.True(left != -1 && left <= time.Hour) // -1: it stays, -2: it has gone
			}
		})
	}
}

// A Wait goes on without Redis, and without a word; a Hold, whose script has the
// same commands, says what is wrong.
func TestTheUserThatComposeGivesMayDoAllOfIt(t *testing.T) {
	is, g := is.New(t), newGate(t, restricted(t))
	is.NoErr(g.Hold(t.Context(), person, time.Now().Add(time.Hour)))
	is.NoErr(g.Hold(t.Context(), group, time.Now().Add(-time.Hour)))
	is.Equal(use(t, g, person), 0)
}

func TestWithoutRedis(t *testing.T) {
	t.Run("each replica goes by its memory, and by Redis again once it is back", func(t *testing.T) {
		is, m := is.New(t), miniredis.RunT(t)
		cfg := redisgate.Config{URL: "redis://" + m.Addr()}
		one, two := mustOpen(t, cfg), mustOpen(t, cfg)
		is.NoErr(one.Hold(t.Context(), group, time.Now().Add(time.Hour)))
		m.Close()
		is.True(use(t, one, person) >= rates.Chat.Burst)
		is.True(use(t, two, person) >= rates.Chat.Burst)
		is.Equal(use(t, one, group), 0) // it knows what it was told itself
		is.True(one.Hold(t.Context(), person, time.Now().Add(time.Hour)) != nil)
		is.NoErr(m.Restart())
		is.True(poll(t, func(n int) bool {
			fresh := fmt.Sprint(7000 + n)
			return use(t, one, fresh)+use(t, two, fresh) == rates.Chat.Burst
		}))
	})
	t.Run("one that hangs is asked once a second", func(t *testing.T) {
		address, dialled := testenv.Hang(t)
		synctest.Test(t, func(t *testing.T) {
			is, g := is.New(t), mustOpen(t, redisgate.Config{URL: "redis://" + address})
			for second := range 3 {
				for i := range 20 {
					is.NoErr(g.Wait(t.Context(), fmt.Sprint(1000*second+i)))
				}
				is.Equal(len(dialled), second+1)
				<-time.After(time.Second) // of the bubble
			}
		})
	})
	t.Run("a caller who goes while it hangs is told so", func(t *testing.T) {
		is := is.New(t)
		g := hanging(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		is.True(errors.Is(g.Wait(ctx, person), context.DeadlineExceeded))
	})
	t.Run("and so is one whose deadline the connection noticed first", func(t *testing.T) {
		is := is.New(t)
		err := hanging(t).Wait(early{t.Context(), time.Now()}, person)
		is.True(errors.Is(err, context.DeadlineExceeded))
	})
	t.Run("a real one that stops, and starts anew", func(t *testing.T) {
		is, c := is.New(t), testenv.NewRedis(t)
		g := mustOpen(t, redisgate.Config{URL: c.URL()})
		is.NoErr(g.Wait(t.Context(), person))
		c.Stop()
		is.NoErr(g.Wait(t.Context(), person))
		c.Start()
		client := newClient(t, c.URL())
		is.True(poll(t, func(int) bool {
			is.NoErr(g.Wait(t.Context(), "777"))
			n, err := client.DBSize(t.Context()).Result()
			return err == nil && n > 0
		}))
	})
}

// hanging is a gate, of much patience, whose Redis never answers.
func hanging(tb testing.TB) *redisgate.Gate {
	address, _ := testenv.Hang(tb)
	g := mustOpen(tb, redisgate.Config{URL: "redis://" + address})
	redisgate.SetPatience(g, long)
	return g
}

// early is a context whose deadline is over, but whose timer has not run yet.
type early struct {
	context.Context //nolint:containedctx // it is one
	at              time.Time
}

func (e early) Deadline() (time.Time, bool) { return e.at, true }

// poll asks until the answer is yes.
func poll(tb testing.TB, ask func(n int) bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(20 * time.Second)
	for n := 0; ; n++ {
		if ask(n) {
			return true
		}
		select {
		case <-tick.C:
		case <-patience:
			return false
		}
	}
}

func TestOpenRejects(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	for name, tt := range map[string]struct {
		cfg  redisgate.Config
		want string
	}{
		"no Redis":             {redisgate.Config{}, "Config.URL is empty"},
		"two":                  {redisgate.Config{URL: "redis://s3creto@h", Redis: client}, "exclude each other"},
		"a URL of no form":     {redisgate.Config{URL: "redis://:s3creto@h:port"}, "Config.URL is not a Redis address"},
		"a bot with a bracket": {redisgate.Config{Redis: client, Bot: "a}b"}, "Config.Bot"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := redisgate.Open(tt.cfg)
			is.True(strings.Contains(err.Error(), tt.want))
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				is.True(!strings.Contains(fmt.Sprintf(verb+verb, tt.cfg, err), "s3creto"))
			}
		})
	}
}

// BenchmarkWait compares a place in Redis with a bare round trip to it. Each bot
// is new, so that none has to wait.
func BenchmarkWait(b *testing.B) {
	url := testenv.Redis(b)
	client := newClient(b, url)
	b.Run("bare GET", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			client.Get(b.Context(), "x")
		}
	})
	b.Run("Wait", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			g := mustOpen(b, redisgate.Config{Redis: client, Bot: fmt.Sprint(n)})
			if err := g.Wait(b.Context(), person); err != nil {
				b.Fatal(err)
			}
		}
	})
}
