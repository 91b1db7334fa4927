package ccm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// TestMemoryJournal runs the contract of every Journal over the one in memory.
func TestMemoryJournal(t *testing.T) {
	now := &clock{now: at(t, "2026-11-24 12:00:00")}
	testJournal(t, func() ccm.Journal { return ccm.NewMemoryJournal(now.Now, 100) }, now.add)
	t.Run("forgets the oldest of too many", func(t *testing.T) {
		is := is.New(t)
		j := ccm.NewMemoryJournal(now.Now, 2)
		for _, key := range []string{"a", "b", "c"} {
			finish(t, j, begin(t, j, key))
		}
		r, err := j.Resume(t.Context(), "a", "f")
		is.NoErr(err)
		is.Equal(r.ID, "")
		r, err = j.Resume(t.Context(), "b", "f")
		is.NoErr(err)
		is.True(r.Replayed)
	})
}

func begin(t *testing.T, j ccm.Journal, key string) ccm.Receipt {
	t.Helper()
	r, err := j.Begin(t.Context(), ccm.Delivery{Key: key, Fingerprint: "f", Report: "alert", Parts: make([]telegram.Part, 2)})
	is.New(t).NoErr(err)
	return r.Receipt
}

func mark(t *testing.T, j ccm.Journal, r ccm.Receipt, part int, state ccm.State) {
	t.Helper()
	is.New(t).NoErr(j.Mark(t.Context(), r.ID, part, ccm.PartResult{State: state, Sent: telegram.Sent{ID: int64(part + 1)}}))
}

func finish(t *testing.T, j ccm.Journal, r ccm.Receipt) {
	t.Helper()
	mark(t, j, r, 0, ccm.Delivered)
	mark(t, j, r, 1, ccm.Delivered)
	is.New(t).NoErr(j.End(t.Context(), r.ID))
}

// testJournal is what every Journal promises; pass moves its clock.
func testJournal(t *testing.T, open func() ccm.Journal, pass func(time.Duration)) {
	resume := func(t *testing.T, j ccm.Journal, fingerprint string) (ccm.Receipt, ccm.Code) {
		r, err := j.Resume(t.Context(), "k", fingerprint)
		return r.Receipt, ccm.CodeOf(err)
	}
	t.Run("a new key is free", func(t *testing.T) {
		r, code := resume(t, open(), "f")
		is.New(t).Equal(r.ID+string(code), "")
	})
	t.Run("a key under way is busy", func(t *testing.T) {
		is, j := is.New(t), open()
		begin(t, j, "k")
		_, code := resume(t, j, "f")
		is.Equal(code, ccm.CodeKeyBusy)
		_, err := j.Begin(t.Context(), ccm.Delivery{Key: "k", Fingerprint: "f", Parts: make([]telegram.Part, 2)})
		is.Equal(ccm.CodeOf(err), ccm.CodeKeyBusy)
		_, code = resume(t, j, "other")
		is.Equal(code, ccm.CodeKeyReused)
	})
	t.Run("a finished one is given again", func(t *testing.T) {
		is, j := is.New(t), open()
		first := begin(t, j, "k")
		finish(t, j, first)
		for range 2 {
			r, code := resume(t, j, "f")
			is.Equal(code, ccm.Code(""))
			is.True(r.Replayed)
			is.Equal(r.ID, first.ID)
			is.Equal(r.Parts[1].Sent.ID, int64(2))
		}
		_, code := resume(t, j, "other")
		is.Equal(code, ccm.CodeKeyReused)
	})
	t.Run("a refusal frees the key", func(t *testing.T) {
		is, j := is.New(t), open()
		r := begin(t, j, "k")
		mark(t, j, r, 0, ccm.Sending)
		mark(t, j, r, 0, ccm.Refused)
		is.NoErr(j.End(t.Context(), r.ID))
		r, code := resume(t, j, "other")
		is.Equal(r.ID+string(code), "")
	})
	t.Run("a partial one goes on, and is claimed", func(t *testing.T) {
		is, j := is.New(t), open()
		first := begin(t, j, "k")
		mark(t, j, first, 0, ccm.Delivered)
		is.NoErr(j.End(t.Context(), first.ID))
		r, _ := resume(t, j, "f")
		is.Equal(r.ID, first.ID)
		is.True(!r.Replayed)
		is.Equal(r.Parts[0].State, ccm.Delivered)
		_, code := resume(t, j, "f")
		is.Equal(code, ccm.CodeKeyBusy)
	})
	for _, state := range []ccm.State{ccm.Uncertain, ccm.Sending} {
		t.Run("a partial one with a part "+string(state)+" is finished", func(t *testing.T) {
			is, j := is.New(t), open()
			first := begin(t, j, "k")
			mark(t, j, first, 0, ccm.Delivered)
			mark(t, j, first, 1, state)
			is.NoErr(j.End(t.Context(), first.ID))
			r, _ := resume(t, j, "f")
			is.True(r.Replayed)
		})
	}
	t.Run("a day later the key is free", func(t *testing.T) {
		is, j := is.New(t), open()
		finish(t, j, begin(t, j, "k"))
		pass(24*time.Hour - time.Second)
		r, _ := resume(t, j, "f")
		is.True(r.Replayed)
		pass(time.Second)
		r, code := resume(t, j, "other")
		is.Equal(r.ID+string(code), "")
	})
	t.Run("without a key nothing is given again", func(t *testing.T) {
		is, j := is.New(t), open()
		first := begin(t, j, "")
		finish(t, j, first)
		is.True(begin(t, j, "").ID != first.ID)
	})
	t.Run("a part that is not there is an error", func(t *testing.T) {
		is, j := is.New(t), open()
		r := begin(t, j, "k")
		is.True(j.Mark(t.Context(), r.ID, 2, ccm.PartResult{}) != nil)
		is.True(j.Mark(t.Context(), "nobody", 0, ccm.PartResult{}) != nil)
	})
}

func TestAKeySendsOnce(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	c := client(t, cfg, &database{})
	key := ccm.SendOptions{Key: "k"}
	first, err := c.SendAlert(t.Context(), alert, key)
	is.NoErr(err)
	again, err := c.SendAlert(t.Context(), alert, key)
	is.NoErr(err)
	is.True(again.Replayed)
	is.Equal(again.Parts, first.Parts)
	_, err = c.SendAlert(t.Context(), long, key)
	wants(t, err, ccm.CodeKeyReused, "use una nueva")
	_, err = c.SendArrivals(t.Context(), ccm.Query{}, key)
	wants(t, err, ccm.CodeKeyReused)
	is.Equal(len(fake.Messages(chat)), 1)
}

func TestManyAtOnceWithOneKeySendOneMessage(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	c := client(t, cfg, nil)
	var all sync.WaitGroup
	codes := make([]ccm.Code, 50)
	for i := range codes {
		all.Go(func() {
			_, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{Key: "k"})
			codes[i] = ccm.CodeOf(err)
		})
	}
	all.Wait()
	is.Equal(len(fake.Messages(chat)), 1)
	for _, code := range codes {
		is.True(code == "" || code == ccm.CodeKeyBusy)
	}
}

func TestAKeyAfterAFailure(t *testing.T) {
	for name, c := range map[string]struct {
		fault    telegramtest.Fault
		messages int // after the second time
		replayed bool
		code     ccm.Code // of the second time
	}{
		"that was definite: it is free":       {telegramtest.Fault{Status: 403}, 3, false, ""},
		"that was definite, in the middle":    {telegramtest.Fault{Status: 403, After: 1}, 3, false, ""},
		"that leaves a doubt: it is replayed": {telegramtest.Fault{Status: 502, Times: 3}, 0, true, ccm.CodeTelegramStatus},
		"that leaves one in the middle":       {telegramtest.Fault{Cut: true, Accept: true, After: 1}, 3, true, ccm.CodeTelegramHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			fake, cfg := bot(t)
			c.fault.Method = "sendMessage"
			fake.Script(c.fault)
			client := client(t, cfg, nil)
			_, err := client.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
			is.True(err != nil)
			r, err := client.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
			is.Equal(ccm.CodeOf(err), c.code)
			is.Equal(r.Replayed, c.replayed)
			is.Equal(len(fake.Messages(chat)), c.messages)
		})
	}
}

// away is a Journal that cannot be reached.
type away struct{ ccm.Journal }

var errJournal = errors.New("the journal is away")

func (away) Resume(context.Context, string, string) (ccm.Record, error) {
	return ccm.Record{}, errJournal
}

func (away) Begin(context.Context, ccm.Delivery) (ccm.Record, error) {
	return ccm.Record{}, errJournal
}

func TestWithoutItsJournalAReportWaitsAndAnAlertGoesOut(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	var log lines
	cfg.Journal, cfg.Logger = away{}, log.logger()
	c := client(t, cfg, &database{})
	for _, o := range []ccm.SendOptions{{}, {Key: "k"}} {
		_, err := c.SendArrivals(t.Context(), ccm.Query{}, o)
		wants(t, err, ccm.CodeJournal, "El diario de envíos falló", "podría salir dos veces")
		is.True(errors.Is(err, errJournal))
		r, err := c.SendAlert(t.Context(), alert, o)
		is.NoErr(err)
		is.Equal(r.ID, "")
		is.True(r.Unrecorded)
	}
	is.Equal(len(fake.Messages(chat)), 2)
}
