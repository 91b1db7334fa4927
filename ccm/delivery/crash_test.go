package delivery_test

import (
	"database/sql"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
)

// deliveriesEnv says how many deliveries the proof makes: 2000 is the number that
// the journal's promise was proven with, and takes one to three minutes of two
// busy cores. A few hundred are enough to see it broken.
const deliveriesEnv = "CCM_DELIVERY_PROOF"

func deliveries() int {
	n, err := strconv.Atoi(os.Getenv(deliveriesEnv))
	if err != nil {
		return 500
	}
	return n
}

// recoverWithin is how long it may take until what a dead process left is
// somebody's again: its lease, and half a minute.
const recoverWithin = 90 * time.Second

func TestKilledProcessesLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	jobs := someJobs(deliveries())
	f := newFleet(t, url, jobs)
	slowest := watch(t, connect(t, url))
	began := time.Now()
	f.start()
	f.await(5 * time.Minute)
	j := open(t, delivery.Config{URL: url})
	settled(t, connect(t, url), f)
	t.Logf("%d deliveries in %v; deaths %v; an abandoned one was taken at the latest %v after its lease", len(jobs), time.Since(began), f.deaths, slowest())
	is.True(slowest() < recoverWithin-delivery.Lease)
	v := judge(t, f, j, jobs)
	t.Logf("%d parts accepted, %d uncertain, %d pending", v.accepted, v.uncertain, v.pending)
	is.Equal(v.lost, nil)
	is.Equal(v.doubled, nil)
	is.Equal(v.unlisted, nil)
	is.Equal(v.unrecorded, nil)
	is.Equal(v.left, nil)
	is.True(v.uncertain > 0)
	is.True(len(f.deaths) > 3) // at that many points
	if len(jobs) >= 1000 {
		is.Equal(len(f.deaths), len(points)+1) // at each, and at random
	}
	for _, listed := range records(t, j) {
		is.Equal(len(listed), 1)
	}
}

// watch looks how long after its lease an abandoned delivery is still nobody's.
func watch(t *testing.T, db *sql.DB) (slowest func() time.Duration) {
	t.Helper()
	done, end := make(chan time.Duration, 1), make(chan struct{})
	go func() {
		worst := time.Duration(0)
		for tick := time.NewTicker(500 * time.Millisecond); ; {
			select {
			case <-end:
				done <- worst
				return
			case <-tick.C:
			}
			var micros sql.NullInt64
			err := db.QueryRow(`SELECT TIMESTAMPDIFF(MICROSECOND, MIN(lease_until), UTC_TIMESTAMP(6)) FROM ccm_deliveries WHERE lease_until <= UTC_TIMESTAMP(6)`).Scan(&micros)
			if err == nil {
				worst = max(worst, time.Duration(micros.Int64)*time.Microsecond)
			}
		}
	}()
	var once time.Duration
	return func() time.Duration {
		if end != nil {
			close(end)
			once, end = <-done, nil
		}
		return once
	}
}

// settled waits until nobody holds a delivery.
func settled(t *testing.T, db *sql.DB, f *fleet) {
	t.Helper()
	f.mu.Lock()
	until := f.lastDied.Add(recoverWithin)
	f.mu.Unlock()
	if soon := time.Now().Add(20 * time.Second); until.Before(soon) {
		until = soon
	}
	for range time.Tick(200 * time.Millisecond) {
		var held int
		if err := db.QueryRow(`SELECT COUNT(*) FROM ccm_deliveries WHERE lease_until IS NOT NULL`).Scan(&held); err != nil {
			t.Fatal(err)
		}
		if held == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%v after the last death %d deliveries are still held", recoverWithin, held)
		}
	}
}

// TestTheProofBites: in a wrong order the same proof finds what is wrong.
func TestTheProofBites(t *testing.T) {
	t.Parallel()
	for order, c := range map[string]struct {
		dies  string
		finds func(verdict) []string
	}{
		markFirst: {"in mid-write", func(v verdict) []string { return v.lost }},
		markLast:  {"before the record", func(v verdict) []string { return v.doubled }},
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			url := testenv.MySQL(t)
			migrated(t, url)
			jobs := someJobs(100)
			f := newFleet(t, url, jobs)
			f.helper.Order, f.helper.Odds, f.only = order, 1.0/8, c.dies
			f.start()
			db := connect(t, url)
			impatient(t, db, f)
			f.await(3 * time.Minute)
			v := judge(t, f, open(t, delivery.Config{URL: url}), jobs)
			t.Logf("deaths %v; lost %d, doubled %d", f.deaths, len(v.lost), len(v.doubled))
			is.True(len(c.finds(v)) > 0)
		})
	}
}

// impatient has leases run out in a few seconds: how long they are does not
// matter to the order.
func impatient(t *testing.T, db *sql.DB, f *fleet) {
	go func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-f.finished:
				return
			case <-t.Context().Done():
				return
			case <-tick.C:
			}
			_, _ = db.Exec(`UPDATE ccm_deliveries SET lease_until = lease_until - INTERVAL 15 SECOND WHERE lease_until IS NOT NULL`)
		}
	}()
}

func TestAnUnreliableDatabaseLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	server := testenv.NewMySQL(t)
	durable(t, server)
	migrated(t, server.URL())
	jobs := someJobs(deliveries())
	f := newFleet(t, server.URL(), jobs)
	f.offs = []time.Duration{0, time.Hour, -time.Hour}
	f.start()
	trouble := 0
	for running := true; running; {
		select {
		case <-f.finished:
			running = false
		case <-time.After(2 * time.Second):
			switch trouble++; {
			case trouble > 6:
			case trouble%2 == 1:
				server.Pause()
				wait(6 * time.Second) // longer than a call's patience
				server.Unpause()
			default:
				server.Stop()
				wait(time.Second)
				server.Start()
				durable(t, server)
			}
		case <-time.After(5 * time.Minute):
			t.Fatal("it does not end")
		}
	}
	db := connect(t, server.URL())
	settled(t, db, f)
	v := judge(t, f, open(t, delivery.Config{URL: server.URL()}), jobs)
	codes := map[ccm.Code]int{}
	for _, code := range f.answers {
		codes[code]++
	}
	t.Logf("%d deliveries, %d times trouble; deaths %v; answers %v; %d parts accepted, %d uncertain, %d pending",
		len(jobs), trouble, f.deaths, codes, v.accepted, v.uncertain, v.pending)
	is.Equal(v.lost, nil)
	is.Equal(v.doubled, nil)
	is.Equal(v.unlisted, nil)
	is.Equal(v.unrecorded, nil)
	is.Equal(v.left, nil)
	is.True(trouble > 2)
}

// durable undoes what makes test servers fast: a commit that a crash can take
// back is none.
func durable(t *testing.T, server *testenv.Container) {
	t.Helper()
	run(t, connect(t, server.URL()), "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
}

func wait(d time.Duration) { <-time.After(d) }

func TestTwentyAtOnceOverThreeProcessesSendOneMessage(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	var jobs []job
	for i := range 20 {
		jobs = append(jobs, job{Call: i, N: 7, Key: "una", Parts: 2})
	}
	f := newFleet(t, url, jobs)
	f.kill = false
	f.start()
	f.await(2 * time.Minute)
	is.Equal(len(f.fake.Messages(crowd)), 2) // the two parts
	is.Equal(slices.Collect(maps.Values(witnessed(f.fake))), []int{1, 1})
	is.Equal(len(records(t, open(t, delivery.Config{URL: url}))[7]), 1)
	is.Equal(f.answers[7], ccm.Code(""))
}
