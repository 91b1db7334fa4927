package cache_test

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// overRedis runs a test on both.
func overRedis(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("miniredis", func(t *testing.T) { test(t, "redis://"+miniredis.RunT(t).Addr()) })
	t.Run("Redis 8", func(t *testing.T) { test(t, testenv.Redis(t)) })
}

// replicas are processes of one service, as far as Redis can tell.
func replicas(t *testing.T, n int, cfg cache.Config) []*cache.Backend {
	all := make([]*cache.Backend, n)
	for i := range all {
		all[i] = open(t, cfg)
	}
	return all
}

func TestOneLoadServesAllReplicas(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is := is.New(t)
		var loads atomic.Int64
		load := func(context.Context) (int64, error) {
			<-time.After(50 * time.Millisecond) // as a database takes
			return loads.Add(1), nil
		}
		var wait sync.WaitGroup
		for _, b := range replicas(t, 4, cache.Config{URL: url}) {
			numbers := cache.New[int64](b, "numbers", policy)
			for range 50 {
				wait.Go(func() {
					e, err := numbers.Get(t.Context(), "k", load)
					if err != nil || e.Value != 1 {
						t.Errorf("got %v, %v", e.Value, err)
					}
				})
			}
		}
		wait.Wait()
		is.Equal(loads.Load(), int64(1))
	})
}

func TestOneRefreshServesAllReplicasThatAskMeanwhile(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is := is.New(t)
		client := &counting{UniversalClient: redis.NewClient(options(t, url))}
		t.Cleanup(func() { client.Close() })
		all := append(replicas(t, 2, cache.Config{URL: url}), open(t, cache.Config{Redis: client}))
		var loads atomic.Int64
		begun, release := make(chan struct{}), make(chan struct{})
		load := func(context.Context) (int64, error) {
			n := loads.Add(1)
			if n == 2 {
				close(begun)
				<-release
			}
			return n, nil
		}
		_, err := cache.New[int64](all[0], "numbers", policy).Get(t.Context(), "k", load)
		is.NoErr(err)
		got := make(chan int64)
		refresh := func(b *cache.Backend) {
			e, err := cache.New[int64](b, "numbers", policy).Refresh(t.Context(), "k", load)
			if err != nil {
				t.Error(err)
			}
			got <- e.Value
		}
		go refresh(all[0])
		<-begun
		go refresh(all[2])
		eventually(t, "the second has seen the lock", func() bool { return client.scripts.Load() > 1 })
		close(release)
		is.Equal(<-got, int64(2))
		is.Equal(<-got, int64(2))
		e, err := cache.New[int64](all[1], "numbers", policy).Get(t.Context(), "k", load)
		is.NoErr(err)
		is.Equal(e.Value, int64(2))
	})
}

// counting counts the scripts that are run.
type counting struct {
	redis.UniversalClient
	scripts atomic.Int64
}

func (c *counting) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	defer c.scripts.Add(1)
	return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
}

// settled waits until processes hear each other: what is in memory since before is
// looked up once more.
func settled(t *testing.T, all ...*cache.Backend) {
	t.Helper()
	for _, b := range all {
		eventually(t, "it hears", func() bool { return b.Ping(t.Context()) == nil })
	}
}

func options(t *testing.T, url string) *redis.Options {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnInvalidationDropsTheCopiesOfOtherReplicas(t *testing.T) {
	for what, invalidate := range map[string]func(*testing.T, *cache.Backend) error{
		"by name": func(t *testing.T, b *cache.Backend) error { return b.Invalidate(t.Context(), "numbers") },
		"by key": func(t *testing.T, b *cache.Backend) error {
			return cache.New[int64](b, "numbers", policy).Invalidate(t.Context(), "14")
		},
		"by a refresh": func(t *testing.T, b *cache.Backend) error {
			_, err := cache.New[int64](b, "numbers", policy).Refresh(t.Context(), "14/60", func(context.Context) (int64, error) { return 99, nil })
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			overRedis(t, func(t *testing.T, url string) {
				is := is.New(t)
				all := replicas(t, 2, cache.Config{URL: url})
				var loads atomic.Int64
				get := func(b *cache.Backend) cache.Entry[int64] {
					e, err := cache.New[int64](b, "numbers", policy).Get(t.Context(), "14/60", func(context.Context) (int64, error) { return loads.Add(1), nil })
					is.NoErr(err)
					return e
				}
				for _, b := range all {
					is.Equal(get(b).Value, int64(1))
				}
				settled(t, all...)
				is.Equal(get(all[1]).Source, cache.Memory)
				began := time.Now()
				is.NoErr(invalidate(t, all[0]))
				eventually(t, "the copy goes", func() bool { return get(all[1]).Value != 1 })
				t.Log("dropped after", time.Since(began))
			})
		})
	}
}

// deaf is a Redis whose messages do not come.
type deaf struct{ redis.UniversalClient }

func (d deaf) Subscribe(ctx context.Context, _ ...string) *redis.PubSub {
	return d.UniversalClient.Subscribe(ctx, "nobody:writes:here")
}

// TestAClockThatIsAhead gives nobody a value for longer than it counts.
func TestAClockThatIsAhead(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, ahead, right, p := is.New(t), newClock(), newClock(), new(people)
		ahead.advance(time.Hour)
		_, err := cache.New[[]string](open(t, cache.Config{URL: url, Now: ahead.now}), "names", policy).Get(t.Context(), "k", p.load)
		is.NoErr(err)
		names := cache.New[[]string](open(t, cache.Config{URL: url, Now: right.now}), "names", policy)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Redis)
		right.advance(policy.Fresh)
		e, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
	})
}

// TestWhatRedisDoesNotKeep has values that are too large for it, and of a codec
// that refuses them: each process keeps its own, and hears that it no longer counts.
func TestWhatRedisDoesNotKeep(t *testing.T) {
	for name, keep := range map[string]func(n int) any{
		"large":   func(n int) any { return strings.Repeat(strconv.Itoa(n), 9<<20) },
		"refused": func(int) any { return make(chan int) },
	} {
		t.Run(name, func(t *testing.T) {
			is, url := is.New(t), "redis://"+miniredis.RunT(t).Addr()
			loads, value := 0, any("small")
			get := func(b *cache.Backend) cache.Entry[any] {
				e, err := cache.New[any](b, "values", policy).Get(t.Context(), "k", func(context.Context) (any, error) { loads++; return value, nil })
				is.NoErr(err)
				return e
			}
			one, other := open(t, cache.Config{URL: url}), open(t, cache.Config{URL: url})
			is.Equal(get(one).Value, "small")
			is.Equal(get(other).Value, "small")
			settled(t, one, other)
			is.Equal(get(other).Source, cache.Memory)
			value = keep(2)
			_, err := cache.New[any](one, "values", policy).Refresh(t.Context(), "k", func(context.Context) (any, error) { loads++; return value, nil })
			is.NoErr(err)
			eventually(t, "the small one goes", func() bool { return get(other).Value == value })
			is.Equal(loads, 3)
			is.Equal(get(one).Source, cache.Memory)
			is.Equal(get(other).Source, cache.Memory)
			is.NoErr(one.Invalidate(t.Context(), "values"))
			eventually(t, "the large one goes", func() bool { return get(other).Source == cache.Loaded })
		})
	}
}

func TestPingWaitsForWhatRedisIsOwed(t *testing.T) {
	is, server := is.New(t), miniredis.RunT(t)
	b := open(t, cache.Config{URL: "redis://" + server.Addr()})
	server.SetError("LOADING")
	is.True(b.Invalidate(t.Context(), "names") != nil)
	server.SetError("")
	eventually(t, "it is well", func() bool { return b.Ping(t.Context()) == nil })
	is.Equal(b.Stats().Pending, int64(0))
}

// TestARefreshThatLeavesNothing reaches who does not hear of it, and no older load
// undoes it.
func TestARefreshThatLeavesNothing(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, c := is.New(t), newClock()
		client := redis.NewClient(options(t, url))
		t.Cleanup(func() { client.Close() })
		bound := with(func(p *cache.Policy) { p.Memory, p.LoadTimeout = time.Second, 500*time.Millisecond })
		one := cache.New[int](open(t, cache.Config{URL: url, Now: c.now}), "numbers", bound)
		other := cache.New[int](open(t, cache.Config{Redis: deaf{client}, Now: c.now}), "numbers", bound)
		load := func(n int, err error) cache.Load[int] { return func(context.Context) (int, error) { return n, err } }
		_, err := other.Get(t.Context(), "k", load(1, nil))
		is.NoErr(err)

		c.advance(policy.Fresh)
		end := older(t, one, 1, nil)
		c.advance(time.Millisecond)
		_, err = one.Refresh(t.Context(), "k", load(0, cache.ErrNotFound))
		is.True(errors.Is(err, cache.ErrNotFound))
		end()
		for _, n := range []*cache.Cache[int]{one, other} {
			c.advance(2 * time.Second)
			_, err = n.Get(t.Context(), "k", load(0, cache.ErrNotFound))
			is.True(errors.Is(err, cache.ErrNotFound)) // not the old 1
		}
	})
}

// TestARefreshThatRedisMisses is made up for when Redis is back.
func TestARefreshThatRedisMisses(t *testing.T) {
	is, server, n := is.New(t), miniredis.RunT(t), int64(1)
	load := func(context.Context) (int64, error) { return n, nil }
	one, other := open(t, cache.Config{URL: "redis://" + server.Addr()}), open(t, cache.Config{URL: "redis://" + server.Addr()})
	get := func(b *cache.Backend) int64 {
		e, err := cache.New[int64](b, "numbers", policy).Get(t.Context(), "k", load)
		is.NoErr(err)
		return e.Value
	}
	is.Equal(get(one), int64(1))
	is.Equal(get(other), int64(1))
	settled(t, one, other)
	server.SetError("OOM")
	n = 2
	_, err := cache.New[int64](one, "numbers", policy).Refresh(t.Context(), "k", load)
	is.NoErr(err)
	server.SetError("")
	eventually(t, "the others hear of it", func() bool { return get(other) == 2 })
}

func TestALostMessageCostsNoMoreThanPolicyMemory(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, c, p := is.New(t), newClock(), new(people)
		client := redis.NewClient(options(t, url))
		t.Cleanup(func() { client.Close() })
		bound := with(func(p *cache.Policy) { p.Memory = 10 * time.Second })
		unhearing := open(t, cache.Config{Redis: deaf{client}, Now: c.now})
		one := cache.New[[]string](unhearing, "names", bound)
		other := open(t, cache.Config{URL: url, Now: c.now})
		_, err := one.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		settled(t, unhearing)                      // in that it listens to nothing
		_, err = one.Get(t.Context(), "k", p.load) // after the subscription it was looked up once
		is.NoErr(err)
		is.NoErr(other.Invalidate(t.Context(), "names"))
		c.advance(9 * time.Second)
		_, err = one.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(p.loads.Load(), int64(1)) // it cannot know
		c.advance(2 * time.Second)
		_, err = one.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(p.loads.Load(), int64(2))
		c.advance(11 * time.Second)
		e, err := one.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Memory) // Redis says that it counts
		is.Equal(p.loads.Load(), int64(2))
	})
}

func TestALockThatNobodyFreesHoldsUpButDoesNotBlock(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		client := redis.NewClient(options(t, url))
		defer client.Close()
		for what, life := range map[string]time.Duration{"its holder died": 300 * time.Millisecond, "for ever": 0} {
			t.Run(what, func(t *testing.T) {
				is := is.New(t)
				short := with(func(p *cache.Policy) { p.LoadTimeout = 2 * time.Second })
				numbers := func() *cache.Cache[int] {
					return cache.New[int](open(t, cache.Config{URL: url}), "numbers"+what, short)
				}
				load := func(context.Context) (int, error) { return 7, nil }
				_, err := numbers().Get(t.Context(), "k", load) // makes the generations
				is.NoErr(err)
				is.NoErr(client.Del(t.Context(), "ccm:{numbers"+what+"}:data:k").Err())
				gens, err := client.MGet(t.Context(), "ccm:{numbers"+what+"}:gen", "ccm:{numbers"+what+"}:gen:k").Result()
				is.NoErr(err)
				lock := "gdead " + gens[0].(string) + "," + gens[1].(string)
				is.NoErr(client.Set(t.Context(), "ccm:{numbers"+what+"}:lock:k", lock, life).Err())
				if m := strings.Contains(t.Name(), "miniredis"); m && life > 0 { // its time stands still
					go func() {
						<-time.After(life)
						client.Del(context.WithoutCancel(t.Context()), "ccm:{numbers"+what+"}:lock:k")
					}()
				}
				e, err := numbers().Get(t.Context(), "k", load)
				is.NoErr(err)
				is.Equal(e.Value, 7)
			})
		}
	})
}

func TestWhoLostItsLockDoesNotStoreOverWhatCameAfter(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is := is.New(t)
		client := redis.NewClient(options(t, url))
		defer client.Close()
		all := replicas(t, 3, cache.Config{URL: url})
		numbers := func(i int) *cache.Cache[int] { return cache.New[int](all[i], "numbers", policy) }
		begun, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_, _ = numbers(0).Get(t.Context(), "k", func(context.Context) (int, error) { close(begun); <-release; return 1, nil })
		}()
		<-begun
		is.NoErr(client.Del(t.Context(), "ccm:{numbers}:lock:k").Err()) // its lease ended
		e, err := numbers(1).Get(t.Context(), "k", func(context.Context) (int, error) { return 2, nil })
		is.NoErr(err)
		is.Equal(e.Value, 2)
		close(release)
		<-done
		for _, i := range []int{2, 0} {
			e, err = numbers(i).Get(t.Context(), "k", func(context.Context) (int, error) { return 3, nil })
			is.NoErr(err)
			is.Equal(e.Value, 2)
		}
	})
}

func TestOneReplicaLoadsAhead(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, c := is.New(t), newClock()
		soft := with(func(p *cache.Policy) { p.Soft = 30 * time.Second })
		all := replicas(t, 3, cache.Config{URL: url, Now: c.now})
		var loads atomic.Int64
		load := func(context.Context) (int64, error) { return loads.Add(1), nil }
		get := func(b *cache.Backend) int64 {
			e, err := cache.New[int64](b, "numbers", soft).Get(t.Context(), "k", load)
			is.NoErr(err)
			return e.Value
		}
		for _, b := range all {
			is.Equal(get(b), int64(1))
		}
		c.advance(30 * time.Second)
		for _, b := range all {
			get(b)
		}
		for _, b := range all {
			eventually(t, "the new value everywhere", func() bool { return get(b) == 2 })
		}
		is.Equal(loads.Load(), int64(2))
	})
}

func TestAnInvalidationWinsOverALoadOfAnotherReplica(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is := is.New(t)
		all := replicas(t, 3, cache.Config{URL: url})
		numbers := func(i int) *cache.Cache[int] { return cache.New[int](all[i], "numbers", policy) }
		_, err := numbers(0).Get(t.Context(), "14/60", func(ctx context.Context) (int, error) {
			return 1, numbers(1).Invalidate(ctx, "14")
		})
		is.NoErr(err)
		for i := range all {
			e, err := numbers(i).Get(t.Context(), "14/60", func(context.Context) (int, error) { return 2, nil })
			is.NoErr(err)
			is.Equal(e.Value, 2)
		}
	})
}

func TestAnotherCodecIsAMissAndIsReplaced(t *testing.T) {
	is, address := is.New(t), "redis://"+miniredis.RunT(t).Addr()
	get := func(cfg cache.Config) cache.Source {
		cfg.URL = address
		e, err := cache.New[[]string](open(t, cfg), "names", policy).Get(t.Context(), "k", new(people).load)
		is.NoErr(err)
		return e.Source
	}
	is.Equal(get(cache.Config{}), cache.Loaded)
	is.Equal(get(cache.Config{Codec: named("other")}), cache.Loaded)
	is.Equal(get(cache.Config{Codec: named("other")}), cache.Redis)
}

var errAway = errors.New("away")

func address(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
