package cache_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// masterOf says which server of a group has the keys of "numbers".
func masterOf(t *testing.T, g *testenv.Group) string {
	t.Helper()
	for _, address := range g.Addresses {
		c := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
		defer c.Close()
		role, err := c.Do(t.Context(), "ROLE").Slice()
		if err != nil || role[0] != "master" {
			continue
		}
		if keys, err := c.Keys(t.Context(), "*{numbers}*").Result(); err == nil && len(keys) > 0 {
			return address
		}
	}
	t.Fatal("no master has the keys")
	return ""
}

func TestCallersNoticeNothingOfAFailOver(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testenv.Group{
		"Cluster": testenv.NewRedisCluster, "Sentinel": testenv.NewRedisSentinel,
	} {
		t.Run(name, func(t *testing.T) {
			is, g := is.New(t), start(t)
			all := replicas(t, 2, cache.Config{URL: g.URL})
			hits := func() int64 { return all[0].Stats().RedisHits + all[1].Stats().RedisHits }
			names := func(b *cache.Backend) *cache.Cache[int] { return cache.New[int](b, "numbers", policy) }
			underLoad(t, func() {
				eventually(t, "Redis serves", func() bool { return hits() > 20 })
				g.Kill(t, masterOf(t, g))
				eventually(t, "it is noticed", func() bool { return all[0].Stats().RedisErrors+all[1].Stats().RedisErrors > 0 })
				before := hits()
				eventually(t, "Redis serves again", func() bool { return hits() > before+20 })
				eventually(t, "an invalidation reaches it", func() bool { return names(all[0]).Invalidate(t.Context(), "other") == nil })
			}, all...)
			for _, b := range all {
				is.Equal(b.Stats().LoadErrors, int64(0))
				is.Equal(b.Stats().StaleServed, int64(0))
			}
		})
	}
}

func TestTheKeysOfAnEntryAreOnOneNodeOfACluster(t *testing.T) {
	g := testenv.NewRedisCluster(t)
	is := is.New(t)
	all := replicas(t, 2, cache.Config{URL: g.URL})
	for n := range 20 { // names all over the slots
		name := fmt.Sprint("numbers", n)
		for _, b := range all {
			for _, key := range []string{"14", "14/60", "á é/{x}/y"} {
				_, err := cache.New[int](b, name, policy).Get(t.Context(), key, func(context.Context) (int, error) { return n, nil })
				is.NoErr(err)
			}
		}
	}
	is.Equal(all[1].Stats().RedisHits, int64(60))
	is.NoErr(all[0].Invalidate(t.Context())) // of all names, on all nodes
	is.NoErr(cache.New[int](all[0], "numbers7", policy).Invalidate(t.Context(), "14", "á é"))
	eventually(t, "the other's copies go", func() bool {
		e, err := cache.New[int](all[1], "numbers3", policy).Get(t.Context(), "14", func(context.Context) (int, error) { return -1, nil })
		return err == nil && e.Value == -1
	})
	is.Equal(all[0].Stats().RedisErrors+all[1].Stats().RedisErrors, int64(0))
	is.True(strings.Contains(g.URL, "?addr="))
}
