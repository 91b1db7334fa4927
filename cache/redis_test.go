package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

func newClient(t *testing.T) redis.UniversalClient {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAnotherProcessFindsWhatRedisHas(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"miniredis": func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"Redis 8":   func(t *testing.T) string { return testenv.Redis(t) },
	} {
		t.Run(name, func(t *testing.T) {
			is, c, p := is.New(t), newClock(), new(people)
			url := url(t)
			start := func() (*cache.Backend, *cache.Cache[[]string]) {
				b := open(t, cache.Config{URL: url, Now: c.now})
				return b, cache.New[[]string](b, "names", policy)
			}
			_, one := start()
			_, err := one.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			c.advance(30 * time.Second)
			second, two := start()
			e, err := two.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.Equal(e.Source, cache.Redis)
			is.Equal(c.now().Sub(e.LoadedAt), 30*time.Second)
			e, err = two.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.Equal(e.Source, cache.Memory)

			is.NoErr(second.Invalidate(t.Context())) // every name it knows
			_, three := start()
			e, err = three.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.Equal(e.Source, cache.Loaded)

			c.advance(2 * time.Minute)
			p.breakWith(errors.New("away"))
			_, four := start()
			e, err = four.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.True(e.Stale) // an old value of Redis stands in too
			is.Equal(e.Source, cache.Redis)
		})
	}
}

func TestWhatCannotBeReadIsAMiss(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	b := open(t, cache.Config{URL: "redis://" + m.Addr(), Prefix: "p:"})
	names := cache.New[[]string](b, "names", policy)
	id, at := strings.Repeat("X", 26), time.Now().UnixMicro()
	foreign := []string{
		"{", "\n", "CCM2 \n", `{"v":1,"gen":"g","at":99999999999999,"value":{"a":1}}`,
		fmt.Sprintf("CCM1 %s v %d json g,h\n[]", id, at),
		fmt.Sprintf("CCM2 %s v %d gob g,h\n[]", id, at),
		fmt.Sprintf("CCM2 %s z %d json g,h\n[]", id, at),
		fmt.Sprintf("CCM2 %s v x json g,h\n[]", id),
		fmt.Sprintf("CCM2 %s v %d json g,h\n{", id, at),
	}
	for i, raw := range foreign {
		before := b.Stats().Unreadable
		key := fmt.Sprint("k", i)
		is.NoErr(m.Set("p:{names}:gen", "g"))
		is.NoErr(m.Set("p:{names}:gen:"+key, "h"))
		is.NoErr(m.Set("p:{names}:data:"+key, raw))
		e, err := names.Get(t.Context(), key, new(people).load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
		is.True(b.Stats().Unreadable > before)

		other := cache.New[[]string](open(t, cache.Config{URL: "redis://" + m.Addr(), Prefix: "p:"}), "names", policy)
		e, err = other.Get(t.Context(), key, new(people).load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Redis) // and it was replaced
	}
	_, err := m.Push("p:{names}:data:list", "foreign")
	is.NoErr(err)
	e, err := names.Get(t.Context(), "list", new(people).load)
	is.NoErr(err)
	is.Equal(e.Source, cache.Loaded)
	is.Equal(b.Stats().RedisErrors, int64(0))
}

func TestWhatIsNoStringIsWrittenOver(t *testing.T) {
	overRedis(t, func(t *testing.T, url string) {
		client := redis.NewClient(options(t, url))
		defer client.Close()
		for _, kind := range []string{"gen", "gen:k", "data:k", "lock:k"} {
			is := is.New(t)
			is.NoErr(client.FlushDB(t.Context()).Err())
			is.NoErr(client.RPush(t.Context(), "ccm:{names}:"+kind, "foreign").Err())
			for _, want := range []cache.Source{cache.Loaded, cache.Redis} {
				b := open(t, cache.Config{URL: url})
				e, err := cache.New[[]string](b, "names", policy).Get(t.Context(), "k", new(people).load)
				is.NoErr(err)
				is.Equal(e.Source, want)
				is.Equal(b.Stats().RedisErrors, int64(0))
			}
		}
	})
}

func TestNoErrorShowsThePassword(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	m.RequireAuth("otra")
	b := open(t, cache.Config{URL: "redis://:s3creto@" + m.Addr()})
	err := b.Ping(context.Background())
	is.True(err != nil)
	is.True(!strings.Contains(err.Error(), "s3creto"))
}

func TestTheCallersRedisStaysOpen(t *testing.T) {
	is, client := is.New(t), newClient(t)
	b, err := cache.Open(patient(cache.Config{Redis: client}))
	is.NoErr(err)
	is.NoErr(b.Close())
	is.NoErr(client.Ping(t.Context()).Err())
}
