package cache_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// rights are what the doc of Config.URL asks for; +select is for a database that
// is not 0.
var rights = []string{"~ccm:*", "&ccm:*", "+ping", "+select", "+get", "+mget", "+set", "+del", "+exists", "+getrange", "+pexpire", "+publish", "+subscribe", "+eval", "+evalsha"}

// userWith makes a user of these rights, and returns its URL.
func userWith(t *testing.T, raw string, rights []string) string {
	t.Helper()
	is, admin, name := is.New(t), redis.NewClient(options(t, raw)), rand.Text()
	defer admin.Close()
	is.NoErr(admin.ScriptFlush(t.Context()).Err())
	args := []any{"ACL", "SETUSER", name, "reset", "on", ">secreta"}
	for _, r := range rights {
		args = append(args, r)
	}
	is.NoErr(admin.Do(t.Context(), args...).Err())
	u, err := url.Parse(raw)
	is.NoErr(err)
	u.User = url.UserPassword(name, "secreta")
	return u.String()
}

func TestAUserOfTheRightsOfTheDocMayDoAll(t *testing.T) {
	useAll(t, userWith(t, testenv.Redis(t), rights))
}

// TestPingMissesARight: what answers and refuses serves nobody.
func TestPingMissesARight(t *testing.T) {
	raw := testenv.Redis(t)
	for i, right := range rights {
		if right == "+ping" { // go-redis asks it of a connection that listens
			continue
		}
		t.Run(right, func(t *testing.T) {
			is := is.New(t)
			b := open(t, cache.Config{URL: userWith(t, raw, slices.Delete(slices.Clone(rights), i, i+1))})
			is.True(b.Ping(t.Context()) != nil)
		})
	}
}

// TestARightThatIsTakenAndGivenBack has a process that may not listen for a while,
// or may not tell. It needs no restart.
func TestARightThatIsTakenAndGivenBack(t *testing.T) {
	for name, c := range map[string]struct {
		take, give string
		tells      bool // it may still tell
	}{
		"to subscribe": {"-subscribe", "+subscribe", true},
		"its channels": {"resetchannels", "&ccm:*", false},
	} {
		t.Run(name, func(t *testing.T) {
			is, raw := is.New(t), testenv.Redis(t)
			b, change := withRights(t, raw)
			numbers := cache.New[int64](b, "numbers", policy)
			var n atomic.Int64
			get := func() int64 {
				e, err := numbers.Get(t.Context(), "k", func(context.Context) (int64, error) { return n.Add(1), nil })
				is.NoErr(err)
				return e.Value
			}
			other := open(t, cache.Config{URL: raw})
			eventually(t, "it is well", func() bool { return b.Ping(t.Context()) == nil })
			last := get()
			change(c.take)
			eventually(t, "it is missed", func() bool {
				err := b.Ping(t.Context())
				return err != nil && errors.Is(err, cache.ErrDeaf) == c.tells
			})
			is.NoErr(other.Invalidate(t.Context(), "numbers"))
			is.True(get() > last) // what it did not hear is noticed at once
			change(c.give)
			eventually(t, "it is well again", func() bool { return b.Ping(t.Context()) == nil })
			admin := redis.NewClient(options(t, raw))
			defer admin.Close()
			eventually(t, "both listen", func() bool {
				got, err := admin.PubSubNumSub(t.Context(), "ccm:changed").Result()
				return err == nil && got["ccm:changed"] == 2
			})
			last = get()
			is.NoErr(other.Invalidate(t.Context(), "numbers"))
			eventually(t, "it is heard", func() bool { return get() > last })
		})
	}
}

func TestAnInvalidationThatMayNotBeToldIsAnError(t *testing.T) {
	is, raw := is.New(t), testenv.Redis(t)
	b, change := withRights(t, raw)
	is.NoErr(b.Invalidate(t.Context(), "numbers"))
	change("-publish")
	is.True(b.Invalidate(t.Context(), "numbers") != nil)
	is.Equal(b.Stats().Pending, int64(0)) // Redis knows, and is asked as before
	is.Equal(b.Stats().Breaker, cache.BreakerClosed)
	change("+publish")
	is.NoErr(b.Invalidate(t.Context(), "numbers"))
}

// withRights is a Backend of a user with the rights of the doc, and what changes
// them; those who listen are cut off, for Redis asks once.
func withRights(t *testing.T, raw string) (b *cache.Backend, change func(right string)) {
	t.Helper()
	is, mine := is.New(t), userWith(t, raw, rights)
	user, err := url.Parse(mine)
	is.NoErr(err)
	admin := redis.NewClient(options(t, raw))
	t.Cleanup(func() { admin.Close() })
	return open(t, cache.Config{URL: mine}), func(right string) {
		is.NoErr(admin.Do(t.Context(), "ACL", "SETUSER", user.User.Username(), right).Err())
		is.NoErr(admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub", "USER", user.User.Username()).Err())
	}
}

func TestPingMissesAReplicaThatOnlyReads(t *testing.T) {
	is, server := is.New(t), testenv.NewRedis(t)
	b := open(t, cache.Config{URL: server.URL()})
	is.NoErr(b.Ping(t.Context()))
	admin := redis.NewClient(options(t, server.URL()))
	defer admin.Close()
	is.NoErr(admin.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
	is.True(b.Ping(t.Context()) != nil)
}
