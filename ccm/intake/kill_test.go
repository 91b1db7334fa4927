package intake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/store"
)

// childEnv makes a test binary the process that is killed: it holds the address
// of a database, and the arguments are workbooks.
const childEnv = "CCM_INTAKE_CHILD"

// child loads workbooks, as ccm-api import does, and prints the memory that it took.
func child() {
	l, err := intake.Open(intake.Config{Store: store.Config{URL: os.Getenv(childEnv)}})
	if err == nil {
		_, err = l.Files(context.Background(), intake.Options{Force: true}, os.Args[1:]...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(peak())
	os.Exit(0)
}

// TestSurvivesKills kills loads at random and then loads once more: the table is
// what one clean load makes, and never has a part of a workbook.
func TestSurvivesKills(t *testing.T) { onEach(t, testSurvivesKills) }

func testSurvivesKills(t *testing.T, address string) {
	t.Parallel()
	is := is.New(t)
	const people, loads = 1500, 50
	paths := []string{books.People(t, "a.xlsx", 1, people), books.People(t, "b.xlsx", people/2, 2*people)}
	clean := open(t, intake.Config{Store: store.Config{URL: address}})
	began := time.Now()
	is.NoErr(loadOnce(t, clean, paths))
	took := time.Since(began)
	age(t, address)
	want := dump(t, address)
	is.Equal(len(want), 2*people)

	killed, states := 0, map[int]int{}
	for n := range loads {
		if n%5 == 0 {
			execute(t, address, "DELETE FROM ccm_generaciones")
		}
		cmd := exec.Command(os.Args[0], paths...)
		cmd.Env = append(os.Environ(), childEnv+"="+address)
		is.NoErr(cmd.Start())
		timer := time.AfterFunc(time.Duration(rand.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
		if cmd.Wait() != nil {
			killed++
		}
		timer.Stop()
		left := settled(t, address)
		states[left]++
		is.True(left == 0 || left == people || left == 2*people) // whole workbooks alone
	}
	t.Logf("%d of %d loads were killed; rows left: %v", killed, loads, states)
	is.True(killed > loads/4) // else nothing was tried
	is.NoErr(loadOnce(t, clean, paths))
	age(t, address)
	is.Equal(dump(t, address), want)
}

// loadOnce loads, waiting for the server to notice that another load is dead.
func loadOnce(tb testing.TB, l *intake.Loader, paths []string) error {
	for {
		done, err := l.Files(tb.Context(), intake.Options{Force: true}, paths...)
		if errors.Is(err, intake.ErrBusy) {
			continue
		}
		if err == nil && !done.Complete() {
			return fmt.Errorf("%d errors", done.ErrorCount)
		}
		return err
	}
}

// settled counts the rows once no load holds the lock: the server has undone what
// the dead one did.
func settled(tb testing.TB, address string) (count int) {
	tb.Helper()
	db := connect(tb, address)
	defer db.Close()
	conn, err := db.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	var got int
	if err := conn.QueryRowContext(tb.Context(), "SELECT GET_LOCK(LEFT(CONCAT('ccm_intake.', DATABASE()), 64), 60)").Scan(&got); err != nil || got != 1 {
		tb.Fatal("the lock is held for a minute", err)
	}
	if err := conn.QueryRowContext(tb.Context(), "SELECT COUNT(*) FROM ccm_generaciones").Scan(&count); err != nil {
		tb.Fatal(err)
	}
	return count
}
