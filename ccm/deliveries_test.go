package ccm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestAPersonDecides(t *testing.T) {
	t.Run("to send a doubtful part again, which says so", func(t *testing.T) {
		is := is.New(t)
		fake, _, _, c := haunt(t, nil)
		fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true, After: 1})
		r, err := c.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
		is.True(err != nil)
		is.Equal(states(t, c, r.ID), "uncertain: sent uncertain sent")
		again, err := c.ResendDelivery(t.Context(), r.ID, "ana")
		is.NoErr(err)
		is.True(!again.Replayed)
		is.True(again.Parts[1].Doubtful)
		sent := fake.Messages(chat)
		is.Equal(len(sent), 4) // part 2 twice, and the others once
		is.Equal(sent[3].Text, "(posible duplicado)\n"+sent[1].Text)

		repeated, err := c.ResendDelivery(t.Context(), r.ID, "ana")
		is.NoErr(err)
		is.True(repeated.Replayed)
		is.Equal(repeated.Parts, again.Parts)
		is.Equal(len(fake.Messages(chat)), 4)
		found, err := c.Delivery(t.Context(), r.ID)
		is.NoErr(err)
		is.Equal(len(found.Decisions), 1)
		is.Equal(found.Decisions[0].Who, "ana")
		is.True(!strings.Contains(found.Parts[1].Part.Plain, "duplicado")) // the text stays as frozen
		replay, err := c.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
		is.NoErr(err)
		is.True(replay.Replayed)
	})
	t.Run("never about what arrived at first", func(t *testing.T) {
		is := is.New(t)
		fake, _, _, c := haunt(t, nil)
		r, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{})
		is.NoErr(err)
		_, err = c.ResendDelivery(t.Context(), r.ID, "ana")
		wants(t, err, ccm.CodeDeliverySent)
		_, err = c.DiscardDelivery(t.Context(), r.ID, "ana")
		wants(t, err, ccm.CodeDeliverySent)
		is.Equal(len(fake.Messages(chat)), 1)
	})
	t.Run("to discard it, and again", func(t *testing.T) {
		is := is.New(t)
		fake, _, _, c := haunt(t, nil)
		fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true})
		r, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{Key: "k"})
		is.True(err != nil)
		for range 2 {
			closed, err := c.DiscardDelivery(t.Context(), r.ID, "ana")
			is.NoErr(err)
			is.Equal(closed.State, ccm.Discarded)
			is.Equal(len(closed.Decisions), 1)
		}
		_, err = c.SendAlert(t.Context(), alert, ccm.SendOptions{Key: "k"})
		wants(t, err, ccm.CodeTelegramHTTP, "Una persona descartó")
		is.Equal(len(fake.Messages(chat)), 1)
	})
	t.Run("with a name, about something there is", func(t *testing.T) {
		_, _, _, c := haunt(t, nil)
		for _, who := range []string{"", " ", "a\nb", strings.Repeat("ñ", ccm.MaxWho+1)} {
			_, err := c.ResendDelivery(t.Context(), "x", who)
			wants(t, err, ccm.CodeInvalidRequest, "nombre de 1 a 100")
			_, err = c.DiscardDelivery(t.Context(), "x", who)
			wants(t, err, ccm.CodeInvalidRequest)
		}
		_, err := c.ResendDelivery(t.Context(), "x", "ana")
		wants(t, err, ccm.CodeUnknownDelivery)
		_, err = c.Delivery(t.Context(), "x")
		wants(t, err, ccm.CodeUnknownDelivery)
	})
	t.Run("nothing where there is no bot", func(t *testing.T) {
		c := client(t, ccm.Config{}, nil)
		_, err := c.ResendDelivery(t.Context(), "x", "ana")
		wants(t, err, ccm.CodeTelegramDisabled)
	})
}

func TestDeliveriesAreListed(t *testing.T) {
	is := is.New(t)
	fake, _, now, c := haunt(t, &database{})
	for range 3 {
		_, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{})
		is.NoErr(err)
		now.add(60e9)
	}
	fake.Script(telegramtest.Fault{Method: "sendMessage", Status: 403})
	_, err := c.SendArrivals(t.Context(), ccm.Query{}, ccm.SendOptions{})
	is.True(err != nil)
	page, err := c.Deliveries(t.Context(), ccm.Filter{Limit: 2})
	is.NoErr(err)
	is.Equal(len(page.Records), 2)
	is.Equal(page.Records[0].Report, ccm.UpcomingArrivals)
	is.Equal(page.Records[0].Parts[0].Part.Plain, "")
	page, err = c.Deliveries(t.Context(), ccm.Filter{Limit: 2, Cursor: page.Next})
	is.NoErr(err)
	is.Equal(len(page.Records), 2)
	is.Equal(page.Next, "")
	page, err = c.Deliveries(t.Context(), ccm.Filter{State: ccm.Refused, Report: ccm.UpcomingArrivals, Chat: "-1001234567890"})
	is.NoErr(err)
	is.Equal(len(page.Records), 1)
	_, err = c.Deliveries(t.Context(), ccm.Filter{State: "lost", Limit: 201, From: now.Now(), To: now.Now()})
	wants(t, err, ccm.CodeInvalidRequest, "el estado debe ser", "de 1 a 200", "anterior al final")
	_, err = c.Deliveries(t.Context(), ccm.Filter{Cursor: "?"})
	wants(t, err, ccm.CodeInvalidRequest, "cursor")
}

// sick is a journal that does not say in its answer what it suffers from.
type sick struct{ ccm.Journal }

var errSick = errors.New("tablespace 4711 is crashed")

func (sick) List(context.Context, ccm.Filter) (ccm.Page, error)         { return ccm.Page{}, errSick }
func (sick) Find(context.Context, string) (ccm.Record, error)           { return ccm.Record{}, errSick }
func (sick) Reopen(context.Context, string, string) (ccm.Record, error) { return ccm.Record{}, errSick }
func (sick) Discard(context.Context, string, string) (ccm.Record, error) {
	return ccm.Record{}, errSick
}

// TestTheLogTellsWhyTheJournalFailed, as the answer says that it does.
func TestTheLogTellsWhyTheJournalFailed(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *ccm.Client) error{
		"list": func(ctx context.Context, c *ccm.Client) error { _, err := c.Deliveries(ctx, ccm.Filter{}); return err },
		"show": func(ctx context.Context, c *ccm.Client) error { _, err := c.Delivery(ctx, "x"); return err },
		"resend": func(ctx context.Context, c *ccm.Client) error {
			_, err := c.ResendDelivery(ctx, "x", "ana")
			return err
		},
		"discard": func(ctx context.Context, c *ccm.Client) error {
			_, err := c.DiscardDelivery(ctx, "x", "ana")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, cfg := bot(t)
			log := new(lines)
			cfg.Journal, cfg.Logger = sick{}, log.logger()
			c := client(t, cfg, nil)
			wants(t, ask(t.Context(), c), ccm.CodeJournal, "el registro dice por qué")
			is.Equal(strings.Count(log.String(), `"level":"WARN"`), 1)
			is.True(strings.Contains(log.String(), errSick.Error()))
		})
	}
}

// hanging is a journal that does not answer.
type hanging struct{ ccm.Journal }

func (hanging) List(ctx context.Context, _ ccm.Filter) (ccm.Page, error) {
	<-ctx.Done()
	return ccm.Page{}, ctx.Err()
}

func TestAJournalThatHangsIsToldByItsCheck(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	c := client(t, ccm.Config{Journal: hanging{}}, nil)
	wants(t, c.CheckJournal(ctx), ccm.CodeJournal, "no responde", "CCM_JOURNAL_URL")
}
