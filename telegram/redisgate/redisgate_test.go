package redisgate_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
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
	options, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	const long = 10 * time.Second
	options.PoolTimeout, options.ReadTimeout, options.WriteTimeout = long, long, long
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	tb.Cleanup(func() { client.Close() })
	g := mustOpen(tb, redisgate.Config{Redis: client})
	redisgate.SetPatience(g, long)
	return g
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
			gatetest.Test(t, func(t *testing.T) telegram.Gate { return newGate(t, at(t)) })
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
	client := admin(tb, address)
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

func admin(tb testing.TB, address string) *redis.Client {
	tb.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		tb.Fatal(err)
	}
	client := redis.NewClient(options)
	tb.Cleanup(func() { client.Close() })
	return client
}

// tight leaves no room for a wait.
func tight(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), rates.RequestTime+100*time.Millisecond)
	tb.Cleanup(cancel)
	return ctx
}

// use takes what there is of a chat's burst, and says how much that was.
func use(tb testing.TB, g telegram.Gate, chat string) (n int) {
	tb.Helper()
	for {
		err := g.Wait(tight(tb), chat)
		if limited, ok := errors.AsType[*telegram.Error](err); ok && limited.Outcome == telegram.RateLimited {
			return n
		}
		if err != nil {
			tb.Fatal(err)
		}
		n++
	}
}

func TestReplicas(t *testing.T) {
	for name, at := range map[string]func(testing.TB) string{"miniredis": mini, "Redis 8": testenv.Redis} {
		t.Run(name, func(t *testing.T) {
			t.Run("share what there is, and what is held", func(t *testing.T) {
				is, url := is.New(t), at(t)
				one, two := newGate(t, url), newGate(t, url)
				is.NoErr(one.Wait(t.Context(), "@Canal"))
				is.Equal(use(t, two, "@canal"), rates.Chat.Burst-1)
				is.NoErr(one.Hold(t.Context(), person, time.Now().Add(time.Hour)))
				is.Equal(use(t, two, person), 0)
			})
			t.Run("go on when Redis forgets the script", func(t *testing.T) {
				is, url := is.New(t), at(t)
				one := newGate(t, url)
				is.NoErr(one.Wait(t.Context(), person))
				is.NoErr(admin(t, url).ScriptFlush(t.Context()).Err())
				is.Equal(use(t, one, person), rates.Chat.Burst-1)
				is.Equal(use(t, newGate(t, url), person), 0) // it was Redis who said so
			})
			t.Run("leave nothing behind that stays, in one slot", func(t *testing.T) {
				is, url := is.New(t), at(t)
				g := newGate(t, url)
				is.NoErr(g.Wait(t.Context(), group))
				is.NoErr(g.Hold(t.Context(), group, time.Now().Add(time.Minute)))
				client := admin(t, url)
				keys, err := client.Keys(t.Context(), "*").Result()
				is.NoErr(err)
				is.True(len(keys) >= 5) // of the chat and the group, to queue and to write; the hold; of the bot for 34 ms
				for _, key := range keys {
					is.True(strings.HasPrefix(key, "ccm:{telegram:bot}:"))
					left, err := client.PTTL(t.Context(), key).Result()
					is.NoErr(err)
					is.True(left != -1 && left <= time.Minute) // -1: it stays, -2: it has gone
				}
			})
			t.Run("tell bots apart", func(t *testing.T) {
				is, client := is.New(t), admin(t, at(t))
				one := mustOpen(t, redisgate.Config{Redis: client, Bot: "1"})
				redisgate.SetPatience(one, time.Minute)
				two := mustOpen(t, redisgate.Config{Redis: client, Bot: "2"})
				redisgate.SetPatience(two, time.Minute)
				is.Equal(use(t, one, person), rates.Chat.Burst)
				is.Equal(use(t, two, person), rates.Chat.Burst)
			})
		})
	}
}

func TestWithoutRedis(t *testing.T) {
	t.Run("each replica goes by its memory, and by Redis again once it is back", func(t *testing.T) {
		is, m := is.New(t), miniredis.RunT(t)
		cfg := redisgate.Config{URL: "redis://" + m.Addr()}
		one, two := mustOpen(t, cfg), mustOpen(t, cfg)
		is.NoErr(one.Hold(t.Context(), group, time.Now().Add(time.Hour)))
		m.Close()
		is.Equal(use(t, one, person), rates.Chat.Burst)
		is.Equal(use(t, two, person), rates.Chat.Burst)
		is.Equal(use(t, one, group), 0) // it knows what it was told itself
		is.True(one.Hold(t.Context(), person, time.Now().Add(time.Hour)) != nil)
		is.NoErr(m.Restart())
		is.True(poll(t, func(n int) bool {
			fresh := fmt.Sprint(7000 + n)
			return use(t, one, fresh)+use(t, two, fresh) == rates.Chat.Burst
		}))
	})
	t.Run("one that hangs is asked once a second", func(t *testing.T) {
		is := is.New(t)
		address, dialled := testenv.Hang(t)
		g := mustOpen(t, redisgate.Config{URL: "redis://" + address})
		for i := range 20 {
			is.NoErr(g.Wait(t.Context(), fmt.Sprint(1000+i)))
		}
		is.Equal(len(dialled), 1)
	})
	t.Run("a caller who goes while it hangs is told so", func(t *testing.T) {
		is := is.New(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		is.NoErr(err)
		defer l.Close()
		g := mustOpen(t, redisgate.Config{URL: "redis://" + l.Addr().String()})
		redisgate.SetPatience(g, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		is.True(errors.Is(g.Wait(ctx, person), context.DeadlineExceeded))
	})
	t.Run("a real one that stops, and starts anew", func(t *testing.T) {
		is, c := is.New(t), testenv.NewRedis(t)
		g := mustOpen(t, redisgate.Config{URL: c.URL()})
		is.Equal(use(t, g, person), rates.Chat.Burst)
		c.Stop()
		is.NoErr(g.Wait(t.Context(), person))
		c.Start()
		client := admin(t, c.URL())
		is.True(poll(t, func(int) bool {
			is.NoErr(g.Wait(t.Context(), "777"))
			n, err := client.DBSize(t.Context()).Result()
			return err == nil && n > 0
		}))
	})
}

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
	client := admin(b, url)
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
