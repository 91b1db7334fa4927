package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/docker/testenv"
)

// faults are the two ways in which a server goes away, and how it comes back.
var faults = []struct {
	name       string
	away, back func(*testenv.Container)
}{
	{"hangs", (*testenv.Container).Pause, (*testenv.Container).Unpause}, // it accepts and never answers
	{"dies", (*testenv.Container).Stop, (*testenv.Container).Start},     // it refuses
}

func TestRedisAwayCostsNoReport(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			is := is.New(t)
			fake, env := telegramEnv(t)
			url, cache := testenv.MySQL(t), testenv.NewRedis(t)
			env = append(env, "DATABASE_URL="+url, "RAMA_ACTUAL=14", "CACHE_PROVIDER=redis", "REDIS_URL="+cache.URL())
			s := serveReference(t, url, env)
			_, a := s.post(arrivals, `{"dry_run": true, "days_ahead": 30}`) // not the usual days, which are read at start
			is.Equal(a.Cache.Source, "source")

			fault.away(cache)
			start := time.Now()
			status, a := s.post(birthdays, `{"days_ahead": 30}`)
			t.Logf("with a Redis that %s the first report took %v", fault.name, time.Since(start))
			is.Equal(status, http.StatusOK)
			is.Equal(a.Cache.Source, "source") // a cache that is away is a miss
			is.True(!a.Cache.Stale)
			status, a = s.post(arrivals, `{"dry_run": true, "days_ahead": 30}`)
			is.Equal(status, http.StatusOK)
			is.Equal(a.Cache.Source, "memory") // what was read before is still there
			is.Equal(s.health("cache"), "down")
			is.Equal(s.health("database"), "ok")

			fault.back(cache)
			eventually(t, "Redis is used again", func() bool { return s.health("cache") == "ok" })
			is.Equal(len(fake.Messages(chat)), 1)
			is.Equal(s.stop(), 0)
		})
	}
}

func TestDatabaseAwayLetsOldDataStandIn(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			is := is.New(t)
			fake, env := telegramEnv(t)
			database := testenv.NewMySQL(t)
			env = append(env, "DATABASE_URL="+database.URL(), "RAMA_ACTUAL=14")
			s := serveReference(t, database.URL(), env)
			_, fresh := s.post(arrivals, `{"dry_run": true}`)

			fault.away(database)
			start := time.Now()
			status, a := s.post(arrivals, `{"force_refresh": true}`)
			t.Logf("with a MySQL that %s the report took %v", fault.name, time.Since(start))
			is.Equal(status, http.StatusOK)
			is.True(a.Cache.Stale) // the answer says so,
			is.Equal(a.DatasetRecords, fresh.DatasetRecords)
			is.True(strings.Contains(fake.Messages(chat)[0].Text, "no se pudieron actualizar")) // and so does the message
			status, a = s.post(birthdays, `{"days_ahead": 30}`)
			is.Equal(status, http.StatusServiceUnavailable) // nothing cached
			is.Equal(a.ErrorCode, "dataset_error")
			is.True(!a.Success)
			is.True(strings.Contains(s.log.String(), "se sirven datos anteriores"))
			_, metrics := s.get("/metrics")
			is.True(regexp.MustCompile(`(?m)^ccm_cache_stale_total [1-9]`).MatchString(metrics))
			status, _ = s.post(alert, `{"title": "MySQL", "body": "no responde", "level": "error"}`)
			is.Equal(status, http.StatusOK) // alerts need no database
			is.Equal(s.health("database"), "down")
			status, _ = s.get("/ready")
			is.Equal(status, http.StatusOK) // cached data and alerts still work

			fault.back(database)
			eventually(t, "the data are fresh again", func() bool {
				status, a := s.post(arrivals, `{"force_refresh": true, "dry_run": true}`)
				return status == http.StatusOK && !a.Cache.Stale
			})
			is.Equal(len(fake.Messages(chat)), 2)
			is.Equal(s.stop(), 0)
		})
	}
}

// serveReference makes the reference schema with the sample people, and serves it.
func serveReference(tb testing.TB, url string, env []string) *service {
	tb.Helper()
	if exit, out := runCommand(tb, env, "migrate", "up"); exit != 0 {
		tb.Fatalf("migrate up: exit %d\n%s", exit, out)
	}
	execute(tb, url, samplePeople(time.Now()))
	return serve(tb, env...)
}
