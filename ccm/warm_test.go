package ccm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
)

// full is a database in which every dataset has a record.
func full(t *testing.T) *database {
	t.Helper()
	return &database{
		arrivals: []ccm.Arrival{arrival(t, "A", "2026-12-01", 8)}, birthdays: []ccm.Birthday{birthday(t, 1, "2026-12-01")},
		summaries: []ccm.BranchSummary{{District: "A", Branch: 14, Missionaries: 8, Elders: 4, Sisters: 4}},
		kpis:      []ccm.KPI{{District: "A", Branch: 14, Metric: "total_missionaries", Value: 8, Unit: "misioneros"}},
	}
}

func TestWarmAsksTheUsualQuestionsOfTheConfiguredBranches(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  ccm.Config
		want []int
	}{
		"the authorised ones":     {ccm.Config{Branches: []int{14, 9}, Branch: 14}, []int{9, 14}},
		"the branch, all allowed": {ccm.Config{Branch: 14}, []int{14}},
		"none: all together":      {ccm.Config{}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			is, db := is.New(t), full(t)
			client := client(t, c.cfg, db)
			w, err := client.Warm(t.Context())
			is.NoErr(err)
			is.Equal(w, ccm.Warmed{Datasets: 4 * len(c.want)})
			branches := map[int]int{}
			for _, asked := range db.windows {
				branches[asked.Branch]++
			}
			for _, b := range c.want {
				is.Equal(branches[b], 4)
				for _, ask := range []func(*ccm.Client, ccm.Query) error{arrivalsOf(t), birthdaysOf(t)} {
					is.NoErr(ask(client, ccm.Query{Branch: b}))
				}
			}
			is.Equal(db.asked(), 4*len(c.want)) // the usual question is answered
		})
	}
}

func TestWarmGoesOnPastWhatFails(t *testing.T) {
	is, db := is.New(t), &database{err: errAway}
	w, err := client(t, ccm.Config{Branches: []int{9, 14}}, db).Warm(t.Context())
	is.True(errors.Is(err, errAway))
	is.Equal(w, ccm.Warmed{Failed: 8})
}

func TestKeepWarmReadsAtStartAndAfterEachMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is, db := is.New(t), full(t)
		var log lines
		c := client(t, ccm.Config{Branch: 14, Location: time.UTC, Now: time.Now, Logger: log.logger()}, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.KeepWarm(ctx); close(done) }()
		synctest.Wait()
		is.Equal(db.asked(), 4)
		<-time.After(24*time.Hour - time.Minute)
		synctest.Wait()
		is.Equal(db.asked(), 4)
		<-time.After(2 * time.Minute)
		synctest.Wait()
		is.Equal(db.asked(), 8)
		db.fail(errAway)
		<-time.After(24 * time.Hour)
		synctest.Wait()
		is.True(strings.Contains(log.String(), "no se pudieron preparar todos los datos"))
		cancel()
		<-done
	})
}

// common is a database that several replicas ask at the same time.
type common struct{ *database }

func (c common) Birthdays(_ context.Context, w store.Window, _ ...string) ([]ccm.Birthday, error) {
	return c.birthdays, c.ask(w)
}

func TestOneReplicaWarmsForAllAndAnInvalidationIsForAll(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"miniredis": func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"Redis 8":   func(t *testing.T) string { return testenv.Redis(t) },
	} {
		t.Run(name, func(t *testing.T) {
			is, now := is.New(t), &clock{now: at(t, "2026-11-24 12:00:00")}
			db := common{full(t)}
			cfg := ccm.Config{Branches: []int{9, 14}, Now: now.Now, Cache: cache.Config{URL: url(t), Patience: 3 * time.Second}}
			var all []*ccm.Client
			for range 3 {
				c := client(t, cfg, nil)
				c.SetSource(db)
				all = append(all, c)
			}
			warm := func() {
				var wait sync.WaitGroup
				for _, c := range all {
					wait.Go(func() {
						if _, err := c.Warm(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
				wait.Wait()
			}
			warm()
			is.Equal(db.asked(), 8)
			now.set(at(t, "2026-11-25 00:00:00"))
			warm()
			is.Equal(db.asked(), 16)

			is.NoErr(all[0].Invalidate(t.Context(), 14))
			is.NoErr(arrivalsOf(t)(all[0], ccm.Query{Branch: 9}))
			is.Equal(db.asked(), 16) // another branch
			is.NoErr(arrivalsOf(t)(all[0], ccm.Query{Branch: 14}))
			is.Equal(db.asked(), 17)
			is.NoErr(all[1].Invalidate(t.Context(), 0))
			is.NoErr(arrivalsOf(t)(all[1], ccm.Query{Branch: 9}))
			is.Equal(db.asked(), 18)
			is.Equal(ccm.CodeOf(all[0].Invalidate(t.Context(), 3)), ccm.CodeInvalidBranch)
		})
	}
}

func TestAnInvalidationThatRedisMissesIsAnError(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	c := client(t, ccm.Config{Cache: cache.Config{URL: "redis://" + m.Addr()}}, full(t))
	is.NoErr(c.Invalidate(t.Context(), 14))
	m.Close()
	wants(t, c.Invalidate(t.Context(), 14), ccm.CodeCache, "Redis no responde o rechaza la orden")
}
