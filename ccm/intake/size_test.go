package intake_test

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

const many = 50_000

// peak is the most memory that this process ever held, in KiB.
func peak() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return 0
}

// BenchmarkLoad loads many people, by a bare multi-row insert of the same rows
// and by us, in turns; the issue wants us within 1.5 times.
func BenchmarkLoad(b *testing.B) {
	path := books.People(b, "muchos.xlsx", 1, many)
	for name, empty := range servers {
		b.Run(name, func(b *testing.B) {
			address := empty(b)
			if _, err := migrate.Up(b.Context(), address); err != nil {
				b.Fatal(err)
			}
			l := open(b, intake.Config{Store: store.Config{URL: address}})
			all := values(b, address, l, path)
			var bare, ours time.Duration
			for b.Loop() {
				bare += timed(b, address, func() { insert(b, address, all) })
				ours += timed(b, address, func() {
					if _, err := l.Files(b.Context(), intake.Options{}, path); err != nil {
						b.Fatal(err)
					}
				})
			}
			b.ReportMetric(float64(ours)/float64(bare), "x-bare")
			b.ReportMetric(bare.Seconds()/float64(b.N), "s-bare")
		})
	}
}

// timed takes the time of f on an empty table.
func timed(tb testing.TB, address string, f func()) time.Duration {
	execute(tb, address, "TRUNCATE TABLE ccm_generaciones")
	began := time.Now()
	f()
	return time.Since(began)
}

// values are the rows that a load makes, to insert them without it.
func values(tb testing.TB, address string, l *intake.Loader, path string) (all [][]any) {
	if _, err := l.Files(tb.Context(), intake.Options{}, path); err != nil {
		tb.Fatal(err)
	}
	for _, row := range rows(tb, address, "SELECT * FROM ccm_generaciones") {
		var one []any
		for field := range strings.SplitSeq(row, "|") {
			one = append(one, field)
		}
		all = append(all, one)
	}
	return all
}

func insert(tb testing.TB, address string, all [][]any) {
	db := connect(tb, address)
	defer db.Close()
	err := inTransaction(db, func(tx *sql.Tx) error {
		const size = 500
		one := "(?" + strings.Repeat(", ?", len(all[0])-1) + ")"
		query := "INSERT INTO ccm_generaciones VALUES " + one + strings.Repeat(", "+one, size-1)
		for from := 0; from < len(all); from += size {
			args := make([]any, 0, size*len(all[0]))
			for _, row := range all[from : from+size] {
				args = append(args, row...)
			}
			if _, err := tx.Exec(query, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func inTransaction(db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return fmt.Errorf("%w; %w", err, tx.Rollback())
	}
	return tx.Commit()
}
