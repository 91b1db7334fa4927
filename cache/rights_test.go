package cache_test

import (
	"crypto/rand"
	"net/url"
	"slices"
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

// TestPingMissesThatNobodyListens: a right can be taken from one who has it.
func TestPingMissesThatNobodyListens(t *testing.T) {
	is, raw := is.New(t), testenv.Redis(t)
	mine := userWith(t, raw, rights)
	user, err := url.Parse(mine)
	is.NoErr(err)
	b := open(t, cache.Config{URL: mine})
	is.NoErr(b.Ping(t.Context()))
	admin := redis.NewClient(options(t, raw))
	defer admin.Close()
	change := func(right string) {
		is.NoErr(admin.Do(t.Context(), "ACL", "SETUSER", user.User.Username(), right).Err())
		is.NoErr(admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub", "USER", user.User.Username()).Err())
	}
	change("-subscribe")
	eventually(t, "it is missed", func() bool { return b.Ping(t.Context()) != nil })
	change("+subscribe")
	eventually(t, "it is well again", func() bool { return b.Ping(t.Context()) == nil })
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
