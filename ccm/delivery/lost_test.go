package delivery_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// behindProxy is a journal whose database may go away, another one that sees it
// all the time, and plain SQL there.
func behindProxy(t *testing.T) (*proxy, *delivery.Journal, *delivery.Journal, *sql.DB) {
	t.Helper()
	url := testenv.MySQL(t)
	migrated(t, url)
	p := newProxy(t, url)
	return p, open(t, delivery.Config{URL: p.url}), open(t, delivery.Config{URL: url}), connect(t, url)
}

// service is a client of a journal, with a chat.
func service(t *testing.T, j ccm.Journal) (*ccm.Client, *telegramtest.Server) {
	t.Helper()
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: crowd, Type: "supergroup", Title: "Todos"})
	c, err := ccm.Open(ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: fake.URL, Gate: openGate{}},
		Chat:     telegram.Target{Chat: "-1001234567890"}, Journal: j,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, fake
}

var (
	hello = ccm.Alert{Title: "Hola", Body: "¿Qué tal?"}
	two   = ccm.Delivery{Fingerprint: "f", Report: "alert", Parts: []telegram.Part{{Plain: "a"}, {Plain: "b"}}}
)

// eventually waits until what is asked for is so.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatal("it does not come to that")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestABeginWhoseAnswerIsLost: one that can be looked up goes on.
func TestABeginWhoseAnswerIsLost(t *testing.T) {
	is := is.New(t)
	p, j, sound, _ := behindProxy(t)
	c, fake := service(t, j)
	p.loseAnswer("COMMIT", true)
	r, err := c.SendAlert(t.Context(), hello, ccm.SendOptions{})
	is.NoErr(err)
	is.True(!r.Unrecorded)
	is.Equal(len(fake.Messages(crowd)), 1)
	kept, err := sound.Find(t.Context(), r.ID)
	is.NoErr(err)
	is.Equal(kept.State, ccm.Delivered)
}

// TestAnAlertThatWentOutWithoutTheJournal is never sent by what its Begin may
// have left behind.
func TestAnAlertThatWentOutWithoutTheJournal(t *testing.T) {
	is := is.New(t)
	p, j, sound, db := behindProxy(t)
	c, fake := service(t, j)
	p.loseAnswer("COMMIT", false)
	r, err := c.SendAlert(t.Context(), hello, ccm.SendOptions{})
	is.NoErr(err)
	is.True(r.Unrecorded)
	is.Equal(len(fake.Messages(crowd)), 1)
	var rows int
	is.NoErr(db.QueryRow("SELECT COUNT(*) FROM ccm_deliveries").Scan(&rows))
	is.Equal(rows, 1) // it was left behind
	p.set(false)
	pass(t, db, delivery.Lease+time.Second)
	for _, journal := range []*delivery.Journal{j, sound} {
		c, fake := service(t, journal)
		n, err := c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(n, 0)
		is.Equal(len(fake.Messages(crowd)), 0)
	}
	page, err := sound.List(t.Context(), ccm.Filter{State: ccm.Pending})
	is.NoErr(err)
	is.Equal(len(page.Records), 1) // a person sees it
}

// TestAResultThatCouldNotBeWritten is written once the database is back.
func TestAResultThatCouldNotBeWritten(t *testing.T) {
	is := is.New(t)
	p, j, sound, _ := behindProxy(t)
	r, err := j.Begin(t.Context(), two)
	is.NoErr(err)
	is.NoErr(j.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Sending}))
	p.set(true)
	err = j.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Delivered, Sent: telegram.Sent{ID: 7}})
	is.True(errors.Is(err, store.ErrUnavailable))
	err = j.Mark(t.Context(), r.ID, 1, ccm.PartResult{State: ccm.Sending}) // nothing more goes out
	is.True(errors.Is(err, store.ErrUnavailable))
	is.True(j.End(t.Context(), r.ID) != nil)
	p.set(false)
	eventually(t, func() bool {
		kept, err := sound.Find(t.Context(), r.ID)
		return err == nil && kept.Parts[0].State == ccm.Delivered && kept.Parts[1].State == ccm.Pending && !kept.EndedAt.IsZero()
	})
}

// TestABeginningThatMayHaveBeenWritten: where the mark before a write failed,
// nothing went out, and the part is in no doubt.
func TestABeginningThatMayHaveBeenWritten(t *testing.T) {
	is := is.New(t)
	p, j, sound, _ := behindProxy(t)
	r, err := j.Begin(t.Context(), two)
	is.NoErr(err)
	p.loseAnswer("sending", false)
	is.True(j.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Sending}) != nil)
	kept, err := sound.Find(t.Context(), r.ID)
	is.NoErr(err)
	is.Equal(kept.Parts[0].State, ccm.Sending) // it was written
	p.set(false)
	is.NoErr(j.End(t.Context(), r.ID))
	kept, err = sound.Find(t.Context(), r.ID)
	is.NoErr(err)
	is.Equal(kept.Parts[0].State, ccm.Pending)
	is.Equal(kept.State, ccm.Pending)
}

// TestWhoWaitsIsKnown: a claim that lives is confirmed and renewed by itself, so
// that what has not begun to be sent is recovered too.
func TestWhoWaitsIsKnown(t *testing.T) {
	is := is.New(t)
	_, dying, sound, db := behindProxy(t)
	r, err := dying.Begin(t.Context(), two)
	is.NoErr(err)
	eventually(t, func() bool {
		var confirmed bool
		return db.QueryRow("SELECT confirmed FROM ccm_deliveries").Scan(&confirmed) == nil && confirmed
	})
	pass(t, db, 50*time.Second)
	eventually(t, func() bool { // a heartbeat makes it longer again
		var left float64
		return db.QueryRow("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), lease_until) FROM ccm_deliveries").Scan(&left) == nil && left > 40
	})
	is.NoErr(dying.Close())
	pass(t, db, delivery.Lease)
	found, err := sound.Recover(t.Context())
	is.NoErr(err)
	is.Equal(found.ID, r.ID)
	is.Equal(found.Parts[0].State, ccm.Pending)
}
