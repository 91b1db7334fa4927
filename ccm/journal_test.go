package ccm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery/deliverytest"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// TestMemoryJournal runs the contract of every Journal over the one in memory.
func TestMemoryJournal(t *testing.T) {
	deliverytest.Run(t, func(tb testing.TB) deliverytest.Place {
		now := &clock{now: at(t, "2026-11-24 12:00:00")}
		j := ccm.NewMemoryJournal(now.Now, 100)
		return deliverytest.Place{Open: func() ccm.Journal { return j }, Pass: now.add}
	})
}

func TestTheMemoryJournalForgetsTheOldestOfTooMany(t *testing.T) {
	for name, text := range map[string]string{"deliveries": "x", "bytes": strings.Repeat("x", 6<<20/4)} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			j := ccm.NewMemoryJournal(time.Now, 2)
			for _, key := range []string{"a", "b", "c"} {
				r, err := j.Begin(t.Context(), ccm.Delivery{Key: key, Fingerprint: "f", Parts: []telegram.Part{{HTML: text, Plain: text}}})
				is.NoErr(err)
				is.NoErr(j.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Delivered}))
				is.NoErr(j.End(t.Context(), r.ID))
			}
			r, err := j.Resume(t.Context(), "a", "f")
			is.NoErr(err)
			is.Equal(r.ID, "")
			r, err = j.Resume(t.Context(), "b", "f")
			is.NoErr(err)
			is.True(r.Replayed)
			page, err := j.List(t.Context(), ccm.Filter{})
			is.NoErr(err)
			is.Equal(len(page.Records), 2)
		})
	}
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
