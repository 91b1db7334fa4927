package cache_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// writes are what a replica writes into Redis: a word that only this command
// has, and a call that sends it.
var writes = map[string]struct {
	word string
	call func(t *testing.T, names *cache.Cache[[]string], p *people)
}{
	"the lock of a load": {":lock:", func(t *testing.T, names *cache.Cache[[]string], p *people) {
		is.New(t).NoErr(names.Invalidate(t.Context(), "k"))
		_, err := names.Get(t.Context(), "k", p.load)
		is.New(t).NoErr(err)
	}},
	"a loaded value": {"Ana", func(t *testing.T, names *cache.Cache[[]string], p *people) {
		is.New(t).NoErr(names.Invalidate(t.Context(), "k"))
		_, err := names.Get(t.Context(), "k", p.load)
		is.New(t).NoErr(err)
	}},
	"a refreshed value": {"Ana", func(t *testing.T, names *cache.Cache[[]string], p *people) {
		e, err := names.Refresh(t.Context(), "k", p.load)
		is.New(t).NoErr(err)
		is.New(t).True(!e.Stale)
	}},
	"an invalidation": {":gen:k", func(t *testing.T, names *cache.Cache[[]string], _ *people) {
		is.New(t).True(names.Invalidate(t.Context(), "k") != nil) // which says that Redis may not know
	}},
}

// TestRedisThatDiesInTheMiddleOfAWriteLeavesNoHarm cuts the connection in the
// middle of a command, and between a command that was done and its answer.
func TestRedisThatDiesInTheMiddleOfAWriteLeavesNoHarm(t *testing.T) {
	for what, write := range writes {
		for when, answered := range map[string]bool{"half is sent": false, "the answer is lost": true} {
			t.Run(fmt.Sprintf("%s, %s", what, when), func(t *testing.T) {
				t.Parallel()
				is, people, o := is.New(t), new(people), options(t, testenv.Redis(t)) // a lock of miniredis has no time of its own
				prefix := rand.Text() + ":"                                           // the databases of a Redis share their channels
				proxy := newProxy(t, o.Addr)
				b := open(t, cache.Config{URL: fmt.Sprintf("redis://%s/%d", proxy.address, o.DB), Prefix: prefix})
				names := cache.New[[]string](b, "names", policy)
				get := func(names *cache.Cache[[]string]) []string {
					e, err := names.Get(t.Context(), "k", people.load)
					is.NoErr(err)
					is.True(!e.Stale)
					return e.Value
				}
				old := get(names)

				proxy.set(trap{write.word, answered})
				write.call(t, names, people)
				is.Equal(b.Stats().RedisErrors, int64(1)) // the connection was cut, once
				is.Equal(b.Stats().Breaker, cache.BreakerOpen)
				is.True(len(get(names)[1]) > len(old[1])) // what came after

				proxy.sever(false)
				eventually(t, "Redis is asked again", func() bool { return b.Stats().Breaker == cache.BreakerClosed })
				now := get(names)
				is.True(len(now[1]) > len(old[1]))
				other := open(t, cache.Config{URL: fmt.Sprintf("redis://%s/%d", o.Addr, o.DB), Prefix: prefix})
				is.Equal(get(cache.New[[]string](other, "names", policy)), now) // all have the same
				is.Equal(b.Stats().Unreadable+other.Stats().Unreadable, int64(0))

				client := redis.NewClient(o)
				defer client.Close()
				eventually(t, "there is no lock", func() bool { return client.Exists(t.Context(), prefix+"{names}:lock:k").Val() == 0 })
			})
		}
	}
}
