package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

const secret = "no-lo-diga-nadie"

// calls are the ways to ask a journal.
func calls(j *delivery.Journal) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Begin": func(ctx context.Context) error {
			_, err := j.Begin(ctx, ccm.Delivery{Key: "k", Fingerprint: "f", Parts: []telegram.Part{{Plain: "x"}}})
			return err
		},
		"Mark": func(ctx context.Context) error {
			return j.Mark(ctx, strings.Repeat("0", 26), 0, ccm.PartResult{State: ccm.Delivered})
		},
		"Check":   j.Check,
		"Discard": func(ctx context.Context) error { _, err := j.Discard(ctx, strings.Repeat("0", 26), "Ana"); return err },
		"Purge":   func(ctx context.Context) error { _, err := j.Purge(ctx); return err },
		"Resume":  func(ctx context.Context) error { _, err := j.Resume(ctx, "k", "f"); return err },
		"List":    func(ctx context.Context) error { _, err := j.List(ctx, ccm.Filter{}); return err },
		"Recover": func(ctx context.Context) error { _, err := j.Recover(ctx); return err },
	}
}

// wants checks that err is of a kind, says what to do, and shows no secret.
func wants(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	is := is.New(t)
	is.True(err != nil)
	known, ok := errors.AsType[*delivery.Error](err)
	is.True(ok)
	is.True(errors.Is(err, kind))
	is.Equal(known.Kind, kind)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	is.True(!strings.Contains(err.Error(), secret))
	is.Equal(ccm.CodeOf(err), ccm.CodeInternal) // it is no *ccm.Error: the journal is away
}

func TestAJournalThatIsAway(t *testing.T) {
	hung, _ := testenv.Hang(t)
	for name, host := range map[string]string{"refused": "127.0.0.1:1", "hung": hung} {
		for call, ask := range calls(open(t, delivery.Config{URL: "mysql://ccm:" + secret + "@" + host + "/diario"})) {
			t.Run(name+" "+call, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				wants(t, ask(ctx), store.ErrUnavailable, "CCM_JOURNAL_URL")
			})
		}
	}
}

func TestAJournalWithoutTables(t *testing.T) {
	for call, ask := range calls(open(t, delivery.Config{URL: testenv.MySQL(t)})) {
		t.Run(call, func(t *testing.T) { wants(t, ask(t.Context()), store.ErrSchema, "ccm-api migrate up") })
	}
}

// TestAJournalWithoutAColumn is found out by Check, whichever it is: a send would
// fail.
func TestAJournalWithoutAColumn(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	db := connect(t, url)
	j := open(t, delivery.Config{URL: url})
	for _, table := range []string{"ccm_deliveries", "ccm_parts"} {
		rows, err := db.Query("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?", table)
		is.NoErr(err)
		var names []string
		for rows.Next() {
			var name string
			is.NoErr(rows.Scan(&name))
			names = append(names, name)
		}
		is.NoErr(rows.Err())
		is.True(len(names) > 10)
		for _, name := range names {
			t.Run(table+" "+name, func(t *testing.T) {
				run(t, db, "ALTER TABLE "+table+" RENAME COLUMN "+name+" TO antes")
				t.Cleanup(func() { run(t, db, "ALTER TABLE "+table+" RENAME COLUMN antes TO "+name) })
				wants(t, j.Check(t.Context()), store.ErrSchema, name)
			})
		}
	}
	is.NoErr(j.Check(t.Context()))
}

// TestAUserWhoMayOnlyRead: what writes is denied, what reads works.
func TestAUserWhoMayOnlyRead(t *testing.T) {
	onEach(t, func(t *testing.T, raw string) {
		is := is.New(t)
		calls := calls(open(t, delivery.Config{URL: granted(t, raw, "SELECT")}))
		for _, call := range []string{"Begin", "Check"} {
			wants(t, calls[call](t.Context()), store.ErrDenied, "INSERT", "conceda")
		}
		is.NoErr(calls["List"](t.Context()))
		is.NoErr(open(t, delivery.Config{URL: granted(t, raw, "SELECT, INSERT, UPDATE, DELETE")}).Check(t.Context()))
	})
}

// TestAnAlertOfAUserWhoMayNotUpdate goes out: the journal is known to be of no use
// before the alert is in it, where it would stay.
func TestAnAlertOfAUserWhoMayNotUpdate(t *testing.T) {
	onEach(t, func(t *testing.T, raw string) {
		is := is.New(t)
		j := open(t, delivery.Config{URL: granted(t, raw, "SELECT, INSERT")})
		wants(t, calls(j)["Begin"](t.Context()), store.ErrDenied, "UPDATE", "conceda")
		c, fake := service(t, j)
		r, err := c.SendAlert(t.Context(), hello, ccm.SendOptions{Key: "k"})
		is.NoErr(err)
		is.True(r.Unrecorded)
		is.Equal(len(fake.Messages(crowd)), 1)
		page, err := j.List(t.Context(), ccm.Filter{})
		is.NoErr(err)
		is.Equal(len(page.Records), 0)
	})
}

// onEach runs a test on a journal's schema of each server.
func onEach(t *testing.T, test func(t *testing.T, raw string)) {
	for name, get := range map[string]func(testing.TB) string{"MySQL": testenv.MySQL, "MariaDB": testenv.MariaDB} {
		t.Run(name, func(t *testing.T) {
			raw := get(t)
			migrated(t, raw)
			test(t, raw)
		})
	}
}

// granted is the URL of a user with some rights on the schema alone.
func granted(t *testing.T, raw, rights string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	db := connect(t, raw)
	name := fmt.Sprintf("diario%d", time.Now().UnixNano()%1e9)
	run(t, db, "CREATE USER '"+name+"'@'%' IDENTIFIED BY '"+secret+"'")
	t.Cleanup(func() { run(t, connect(t, raw), "DROP USER '"+name+"'@'%'") })
	if rights != "" {
		run(t, db, "GRANT "+rights+" ON `"+u.Path[1:]+"`.* TO '"+name+"'@'%'")
	}
	u.User = url.UserPassword(name, secret)
	return u.String()
}

func TestAServerThatTakesNoWrites(t *testing.T) {
	is := is.New(t)
	server := testenv.NewMySQL(t)
	migrated(t, server.URL())
	j := open(t, delivery.Config{URL: server.URL()})
	is.NoErr(j.Check(t.Context()))
	run(t, connect(t, server.URL()), "SET GLOBAL super_read_only = ON")
	calls := calls(j)
	for _, call := range []string{"Begin", "Check"} {
		wants(t, calls[call](t.Context()), store.ErrReadOnly, "solo lectura", "primario")
	}
	is.NoErr(calls["List"](t.Context()))
	run(t, connect(t, server.URL()), "SET GLOBAL super_read_only = OFF")
	is.NoErr(j.Check(t.Context()))
}

func TestWhatAServerSays(t *testing.T) {
	for number, c := range map[uint16]struct {
		text string
		kind error
		word string
	}{
		1114: {"The table 'ccm_parts' is full", store.ErrFull, "no tiene espacio"},
		1021: {"Disk full", store.ErrFull, "libere disco"},
		1030: {"Got error 28 from storage engine", store.ErrFull, "libere disco"},
		1290: {"The MySQL server is running with the --super-read-only option", store.ErrReadOnly, "primario"},
		1045: {"Access denied", store.ErrDenied, "contraseña"},
		1054: {"Unknown column", store.ErrSchema, "migrate up"},
		1040: {"Too many connections", store.ErrUnavailable, "en marcha"},
	} {
		t.Run(c.text, func(t *testing.T) {
			wants(t, delivery.Classify("x", &mysql.MySQLError{Number: number, Message: c.text}), c.kind, c.word)
		})
	}
	t.Run("what the contract names stays", func(t *testing.T) {
		is.New(t).Equal(delivery.Classify("x", fmt.Errorf("y: %w", ccm.ErrKeyBusy)), error(ccm.ErrKeyBusy))
	})
}

// TestACursorOfAnotherJournal is the caller's fault, not one of the server that
// cannot compare such an id.
func TestACursorOfAnotherJournal(t *testing.T) {
	is, url := is.New(t), testenv.MySQL(t)
	migrated(t, url)
	for _, id := range []string{"ñ", "x", "' OR 1 = 1"} {
		cursor := ccm.Record{Receipt: ccm.Receipt{ID: id}, BeganAt: time.Unix(1, 0)}.Cursor()
		_, err := open(t, delivery.Config{URL: url}).List(t.Context(), ccm.Filter{Cursor: cursor})
		is.Equal(ccm.CodeOf(err), ccm.CodeInvalidRequest)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, cfg := range map[string]delivery.Config{
		"no URL":             {},
		"another database":   {URL: "postgres://ccm:" + secret + "@db/x"},
		"negative retention": {URL: "mysql://ccm:" + secret + "@db/x", Retention: -1},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := delivery.Open(cfg)
			is.True(err != nil)
			is.True(!strings.Contains(err.Error(), secret))
		})
	}
}
