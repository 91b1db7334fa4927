package delivery_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram"
)

const senders = 16

// BenchmarkSend is what the journal costs a message, with 16 senders at once and
// 1 000 000 deliveries in its tables. The baseline is three bare transactions of
// one small row each, in a table of their own, by as many at once.
func BenchmarkSend(b *testing.B) {
	server := testenv.NewMySQL(b)
	url := server.URL()
	migrated(b, url)
	db := connect(b, url)
	if _, err := db.Exec("SET GLOBAL innodb_flush_log_at_trx_commit = 1"); err != nil { // as in production
		b.Fatal(err)
	}
	began := time.Now()
	fill(b, db, 1_000_000)
	b.Logf("1 000 000 deliveries made in %v", time.Since(began))
	bare := connect(b, url)
	bare.SetMaxOpenConns(delivery.DefaultMaxConns)
	bare.SetMaxIdleConns(delivery.DefaultMaxConns)
	run(b, bare, "CREATE TABLE bare (id BIGINT PRIMARY KEY, state VARCHAR(16), text TEXT)")
	j := open(b, delivery.Config{URL: url})
	text := telegram.Part{HTML: "<b>Hola</b>, ¿qué tal?", Plain: "Hola, ¿qué tal?", UTF16: 15, Entities: 1}
	var n atomic.Int64
	journal, baseline := time.Duration(0), time.Duration(0)
	for b.Loop() { // in turns, so that both meet the same machine
		baseline += together(b, func(ctx context.Context) error {
			id := n.Add(1)
			for _, statement := range []string{
				"INSERT INTO bare VALUES (?, 'pending', 'Hola, ¿qué tal?')", "UPDATE bare SET state = 'sending' WHERE id = ?", "UPDATE bare SET state = 'sent' WHERE id = ?",
			} {
				if _, err := bare.ExecContext(ctx, statement, id); err != nil {
					return err
				}
			}
			return nil
		})
		journal += together(b, func(ctx context.Context) error {
			r, err := j.Begin(ctx, ccm.Delivery{
				Key: fmt.Sprint("b", n.Add(1)), Fingerprint: "f", Report: "alert", Request: []byte(`{"title":"Hola"}`),
				To: telegram.Target{Chat: "-1001"}, Parts: []telegram.Part{text},
			})
			if err != nil {
				return err
			}
			if err := j.Mark(ctx, r.ID, 0, ccm.PartResult{State: ccm.Sending}); err != nil {
				return err
			}
			if err := j.Mark(ctx, r.ID, 0, ccm.PartResult{State: ccm.Delivered, Sent: telegram.Sent{ID: 7, Raw: []byte(`{"ok":true}`)}}); err != nil {
				return err
			}
			return j.End(ctx, r.ID)
		})
	}
	each := float64(b.N) * senders * perSender
	b.ReportMetric(float64(baseline.Microseconds())/each, "µs/bare")
	b.ReportMetric(float64(journal.Microseconds())/each, "µs/message")
	b.ReportMetric(float64(journal)/float64(baseline), "ratio")
	b.ReportMetric(0, "ns/op")
}

const perSender = 20

// together has 16 do something 20 times each, and says how long that took.
func together(b *testing.B, do func(context.Context) error) time.Duration {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range perSender {
				if err := do(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// BenchmarkList is a page of each list with 100 000 deliveries, in milliseconds;
// the baseline is the newest 51 rows by the primary key, without their parts.
func BenchmarkList(b *testing.B) {
	url := testenv.MySQL(b)
	migrated(b, url)
	db := connect(b, url)
	fill(b, db, 100_000)
	j := open(b, delivery.Config{URL: url})
	b.Run("baseline", func(b *testing.B) {
		measure(b, func() error { return drain(db, "SELECT * FROM ccm_deliveries ORDER BY id DESC LIMIT 51") })
	})
	filters := someFilters()
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range filters {
			if !yield(name) {
				return
			}
		}
	}) {
		b.Run(name, func(b *testing.B) {
			measure(b, func() error { _, err := j.List(b.Context(), filters[name]); return err })
		})
	}
}

func measure(b *testing.B, do func() error) {
	b.Helper()
	var all []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms/p99")
	b.ReportMetric(0, "ns/op")
}

func drain(db *sql.DB, query string) error {
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		continue
	}
	return rows.Err()
}
