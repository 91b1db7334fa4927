package cache_test

import (
	"context"
	"fmt"
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

// TestARefusalIsCountedAndServedAround: what Redis answers in these states is
// quick, so that it goes on being asked.
func TestARefusalIsCountedAndServedAround(t *testing.T) {
	for _, refusal := range []string{
		"LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
		"MOVED 3999 127.0.0.1:6381", "OOM command not allowed when used memory > 'maxmemory'.", "NOAUTH Authentication required.",
		"CLUSTERDOWN Hash slot not served", "MASTERDOWN Link with MASTER is down", "NOPERM this user has no permissions",
	} {
		t.Run(refusal[:6], func(t *testing.T) {
			is, m := is.New(t), miniredis.RunT(t)
			b := open(t, cache.Config{URL: "redis://" + m.Addr()})
			names := cache.New[[]string](b, "names", policy)
			_, err := names.Get(t.Context(), "before", new(people).load)
			is.NoErr(err)
			m.SetError(refusal)
			for range 2 {
				for _, key := range []string{"before", "after"} {
					e, err := names.Get(t.Context(), key, new(people).load)
					is.NoErr(err)
					is.True(!e.Stale)
				}
			}
			is.True(b.Stats().RedisErrors > 0)
			is.Equal(b.Stats().Breaker, cache.BreakerClosed)
			is.True(names.Invalidate(t.Context()) != nil) // Redis was not told, which is remembered
			is.Equal(b.Stats().Breaker, cache.BreakerOpen)
			is.Equal(b.Stats().Pending, int64(1))
			m.SetError("")
			eventually(t, "Redis is told, and asked again", func() bool { return b.Stats().Breaker == cache.BreakerClosed })
			is.Equal(b.Stats().Pending, int64(0))
			e, err := cache.New[[]string](open(t, cache.Config{URL: "redis://" + m.Addr()}), "names", policy).Get(t.Context(), "before", new(people).load)
			is.NoErr(err)
			is.Equal(e.Source, cache.Loaded)
		})
	}
}

func TestScriptsThatRedisForgotAreSentAgain(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, b := is.New(t), open(t, cache.Config{URL: url})
		client := redis.NewClient(options(t, url))
		defer client.Close()
		names := cache.New[[]string](b, "names", policy)
		for _, key := range []string{"a", "b"} {
			_, err := names.Get(t.Context(), key, new(people).load)
			is.NoErr(err)
			is.NoErr(client.ScriptFlush(t.Context()).Err())
		}
		is.Equal(b.Stats().RedisErrors, int64(0))
		e, err := cache.New[[]string](open(t, cache.Config{URL: url}), "names", policy).Get(t.Context(), "b", new(people).load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Redis)
	})
}

// TestARedisThatHangsCostsOneTimeout counts the attempts instead of the time:
// each is one time-out.
func TestARedisThatHangsCostsOneTimeout(t *testing.T) {
	is := is.New(t)
	address, dialled := testenv.Hang(t)
	b := open(t, cache.Config{URL: "redis://" + address})
	names := cache.New[[]string](b, "names", policy)
	for i := range 200 {
		e, err := names.Get(t.Context(), fmt.Sprint(i), new(people).load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
	}
	is.Equal(b.Stats().RedisErrors, int64(1)) // of 200 requests
	is.True(b.Ping(t.Context()) != nil)
	is.True(b.Invalidate(t.Context(), "names") != nil) // said, since others may still serve the old value
	for range 3 {
		<-dialled // it is tried in the background
	}
	is.Equal(b.Stats().RedisErrors, int64(1))
}

func TestASlowRedisCostsOneTimeout(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	p := newProxy(t, m.Addr())
	b := open(t, cache.Config{URL: "redis://" + p.address})
	names := cache.New[[]string](b, "names", policy)
	_, err := names.Get(t.Context(), "k", new(people).load)
	is.NoErr(err)
	p.slow(8 * time.Second)
	for i := range 100 {
		_, err := names.Get(t.Context(), fmt.Sprint(i), new(people).load)
		is.NoErr(err)
	}
	is.Equal(b.Stats().RedisErrors, int64(1))
	p.slow(0)
	eventually(t, "Redis is asked again", func() bool { return b.Stats().Breaker == cache.BreakerClosed })
}

func TestWhatWasInvalidatedWhileRedisWasAwayIsNotServed(t *testing.T) {
	is, m, p := is.New(t), miniredis.RunT(t), new(people)
	url := "redis://" + m.Addr()
	b, other := open(t, cache.Config{URL: url}), open(t, cache.Config{URL: url})
	get := func(b *cache.Backend, key string) cache.Entry[[]string] {
		e, err := cache.New[[]string](b, "names", policy).Get(t.Context(), key, p.load)
		is.NoErr(err)
		return e
	}
	for _, key := range []string{"14/60", "9/60"} {
		get(b, key)
		get(other, key)
	}
	m.Close()
	is.True(cache.New[[]string](b, "names", policy).Invalidate(t.Context(), "14") != nil)
	is.Equal(get(b, "14/60").Source, cache.Loaded)
	is.Equal(get(b, "9/60").Value[1], "xx") // memory serves what still counts
	is.NoErr(m.Restart())                   // with what it had
	eventually(t, "Redis is told", func() bool { return b.Stats().Pending == 0 })
	eventually(t, "the other's copy goes", func() bool { return get(other, "14/60").Value[1] != "x" })
	is.Equal(get(open(t, cache.Config{URL: url}), "9/60").Source, cache.Redis)
}

func TestACopyOfBeforeALostConnectionIsLookedUpAfterIt(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		is, people := is.New(t), new(people)
		o := options(t, url)
		p := newProxy(t, o.Addr)
		far := open(t, cache.Config{URL: fmt.Sprintf("redis://%s/%d", p.address, o.DB)})
		near := open(t, cache.Config{URL: url})
		get := func() string {
			e, err := cache.New[[]string](far, "names", policy).Get(t.Context(), "k", people.load)
			is.NoErr(err)
			return e.Value[1]
		}
		is.Equal(get(), "x")
		settled(t, far)
		p.sever(true)
		is.NoErr(near.Invalidate(t.Context(), "names"))
		is.Equal(get(), "x") // it cannot know
		p.sever(false)
		eventually(t, "it knows", func() bool { return get() != "x" })
	})
}

// underLoad reads from many goroutines for as long as act takes; an error that a
// caller gets is one of the test.
func underLoad(t *testing.T, act func(), all ...*cache.Backend) {
	t.Helper()
	var stop atomic.Bool
	var wait sync.WaitGroup
	for i, b := range all {
		for range 4 {
			wait.Go(func() {
				for n := 0; !stop.Load(); n++ {
					numbers := cache.New[int](b, "numbers", cache.Policy{Fresh: 50 * time.Millisecond, Stale: time.Hour})
					if _, err := numbers.Get(context.WithoutCancel(t.Context()), fmt.Sprint(n%20), func(context.Context) (int, error) { return n, nil }); err != nil {
						t.Errorf("replica %d: %v", i, err)
						return
					}
					<-time.After(time.Millisecond)
				}
			})
		}
	}
	act()
	stop.Store(true)
	wait.Wait()
}

func TestCallersNoticeNothingOfWhatBefallsRedis(t *testing.T) {
	c := testenv.NewRedis(t)
	is := is.New(t)
	all := replicas(t, 2, cache.Config{URL: c.URL()})
	closed := func() bool {
		return all[0].Stats().Breaker == cache.BreakerClosed && all[1].Stats().Breaker == cache.BreakerClosed
	}
	underLoad(t, func() {
		eventually(t, "Redis serves", func() bool { return all[0].Stats().RedisHits+all[1].Stats().RedisHits > 0 })
		for what, act := range map[string][2]func(){
			"paused":           {c.Pause, c.Unpause},
			"killed and empty": {c.Stop, c.Start},
		} {
			act[0]()
			eventually(t, what+": it is noticed", func() bool { return !closed() })
			act[1]()
			eventually(t, what+": it is asked again", closed)
			before := all[1].Stats().RedisHits + all[0].Stats().RedisHits
			eventually(t, what+": it serves again", func() bool { return all[1].Stats().RedisHits+all[0].Stats().RedisHits > before })
		}
	}, all...)
	for _, b := range all {
		is.Equal(b.Stats().LoadErrors, int64(0))
		is.Equal(b.Stats().StaleServed, int64(0))
	}
}

func TestMemoryStandsInForAnEmptyRedisAndASourceThatIsAway(t *testing.T) {
	is, c, p := is.New(t), newClock(), new(people)
	server := testenv.NewRedis(t)
	b := open(t, cache.Config{URL: server.URL(), Now: c.now})
	names := cache.New[[]string](b, "names", policy)
	_, err := names.Get(t.Context(), "k", p.load)
	is.NoErr(err)
	server.Stop()
	p.breakWith(errAway)
	_, err = names.Get(t.Context(), "other", p.load)
	is.True(err != nil)
	e, err := names.Get(t.Context(), "k", p.load)
	is.NoErr(err)
	is.True(!e.Stale)
	server.Start()
	eventually(t, "Redis is asked again", func() bool {
		_, _ = names.Get(t.Context(), "other", p.load)
		return b.Stats().Breaker == cache.BreakerClosed
	})
	e, err = names.Get(t.Context(), "k", p.load)
	is.NoErr(err)
	is.True(e.Stale) // nobody can tell whether it was invalidated
	is.Equal(e.Value[1], "x")
}
