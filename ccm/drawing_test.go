package ccm_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
)

// dry is the report that SendArrivals would send.
func dry(t *testing.T, c *ccm.Client, q ccm.Query) string {
	t.Helper()
	r, err := c.SendArrivals(t.Context(), q, ccm.SendOptions{DryRun: true})
	is.New(t).NoErr(err)
	return r.Parts[0].Part.Plain
}

// TestAReportFollowsItsDataAndItsDay asks for the same report while everything
// that it tells of changes: what was rendered before may not stand in for it.
func TestAReportFollowsItsDataAndItsDay(t *testing.T) {
	is, now := is.New(t), &clock{now: at(t, "2026-11-24 23:00:00")}
	db := &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-11-24", 8), arrival(t, "B", "2026-11-25", 9)}}
	c := client(t, ccm.Config{Now: now.Now}, db)
	first := dry(t, c, ccm.Query{})
	is.True(strings.Contains(first, "Distrito 14A: 8") && strings.Contains(first, "Distrito 14B: 9"))
	is.Equal(dry(t, c, ccm.Query{}), first)
	is.True(dry(t, c, ccm.Query{Days: 7}) != first)

	db.arrivals[0].Missionaries = 10
	is.Equal(dry(t, c, ccm.Query{}), first) // from the cache
	is.True(strings.Contains(dry(t, c, ccm.Query{Refresh: true}), "Distrito 14A: 10"))

	db.fail(errAway)
	now.set(at(t, "2026-11-25 00:10:00"))
	tomorrow := dry(t, c, ccm.Query{})
	is.True(!strings.Contains(tomorrow, "Distrito 14A")) // it came yesterday
	is.True(strings.Contains(tomorrow, "Datos de hace 1 h,"))
	now.add(2 * time.Hour)
	is.True(strings.Contains(dry(t, c, ccm.Query{}), "Datos de hace 3 h,"))
}

// TestOneReportForManyAtOnce is for the race detector too: what is rendered is
// shared by those who ask.
func TestOneReportForManyAtOnce(t *testing.T) {
	c := client(t, ccm.Config{}, &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-12-01", 8)}})
	want := dry(t, c, ccm.Query{})
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			r, err := c.SendArrivals(t.Context(), ccm.Query{}, ccm.SendOptions{DryRun: true})
			if err != nil || r.Parts[0].Part.Plain != want {
				t.Error(err, r)
			}
			r.Parts[0].Part.Plain, r.Parts[0].State = "de quien la pidió", ccm.Refused
		})
	}
	wait.Wait()
	is.New(t).Equal(dry(t, c, ccm.Query{}), want)
}

func TestANullInRedisIsNoAnswer(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	cfg := ccm.Config{Cache: cache.Config{URL: "redis://" + m.Addr()}}
	db := &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-12-01", 8)}}
	want := dry(t, client(t, cfg, db), ccm.Query{})
	spoilt := 0
	for _, key := range m.Keys() {
		if value, _ := m.Get(key); strings.HasPrefix(value, "CCM2 ") {
			head, _, _ := strings.Cut(value, "\n")
			is.NoErr(m.Set(key, head+"\nnull"))
			spoilt++
		}
	}
	is.Equal(spoilt, 1)
	is.Equal(dry(t, client(t, cfg, db), ccm.Query{}), want)
	is.Equal(db.asked(), 2)
}
