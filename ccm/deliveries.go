package ccm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxWho is the longest name of who decides, in characters.
const MaxWho = 100

// States are those that a delivery may be listed by, in the order of its life.
var States = []State{Pending, Sending, Delivered, Refused, Uncertain, Discarded}

// Deliveries lists what the journal has, the newest first and without texts. The
// zero Filter lists all, a page at a time.
//
// Errors: CodeInvalidRequest, which names every fault; CodeJournal.
func (c *Client) Deliveries(ctx context.Context, f Filter) (Page, error) {
	if err := f.check(); err != nil {
		return Page{Records: []Record{}}, err
	}
	page := Page{}
	err := c.ask(ctx, "listar", func(ctx context.Context) (err error) {
		page, err = c.cfg.Journal.List(ctx, f)
		return err
	})
	if page.Records == nil {
		page.Records = []Record{}
	}
	return page, err
}

// ask is a call of the journal outside of a send, whose failure the log tells: a
// caller learns what to mend, and not the cause.
func (c *Client) ask(ctx context.Context, what string, do func(context.Context) error) error {
	err := c.newLedger(false, false).call(ctx, what, do)
	if CodeOf(err) == CodeJournal && ctx.Err() == nil {
		c.log(ctx, slog.LevelWarn, stageJournal, "el diario de envíos falló", slog.String("consulta", what), reasonAttr(err))
	}
	return err
}

// check names everything that is wrong with a filter.
func (f Filter) check() error {
	var faults []string
	if f.State != "" && !slices.Contains(States, f.State) {
		faults = append(faults, "el estado debe ser pending, sending, sent, refused, uncertain o discarded")
	}
	if f.Limit < 0 || f.Limit > MaxPage {
		faults = append(faults, fmt.Sprintf("el límite debe ser de 1 a %d", MaxPage))
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		faults = append(faults, "el principio debe ser anterior al final")
	}
	if len(faults) == 0 {
		return nil
	}
	return fail(CodeInvalidRequest, "Hay que corregir la búsqueda: %s.", strings.Join(faults, "; "))
}

// Delivery answers one delivery, with its texts until they are purged.
//
// Errors: CodeUnknownDelivery, CodeJournal.
func (c *Client) Delivery(ctx context.Context, id string) (Record, error) {
	var r Record
	err := c.ask(ctx, "buscar un envío", func(ctx context.Context) (err error) {
		r, err = c.cfg.Journal.Find(ctx, id)
		return err
	})
	return r, err
}

// ResendDelivery sends what did not arrive of a delivery because a person, who,
// wants it; what may have arrived before says "(posible duplicado)". A report of
// which surely nothing went out is rendered again where the day has changed. To
// resend one again that has arrived meanwhile gives the same receipt, Replayed.
//
// Errors: CodeInvalidRequest (of who); CodeUnknownDelivery; CodeDeliverySent
// where it arrived at first; CodeDeliveryBusy; CodeDeliveryPurged; CodeJournal;
// and those that [Client.SendArrivals] has for sending.
func (c *Client) ResendDelivery(ctx context.Context, id, who string) (Receipt, error) {
	ctx = ensureMessageID(ctx)
	began := time.Now()
	if err := checkWho(who); err != nil {
		return Receipt{}, err
	}
	if c.bot == nil {
		return Receipt{}, errNoBot // before the journal notes a decision that does nothing
	}
	var r Record
	err := c.ask(ctx, "reabrir", func(ctx context.Context) (err error) {
		r, err = c.cfg.Journal.Reopen(ctx, id, who)
		return err
	})
	if CodeOf(err) == CodeDeliverySent {
		return c.resentAlready(ctx, id, err)
	}
	if err != nil {
		return r.Receipt, err
	}
	l := c.newLedger(false, isOfDoubt(r.Key))
	l.sends = true
	c.logDecision(ctx, Resend, id, who)
	receipt, err := c.goOnToday(ctx, l, r)
	c.logSend(ctx, r.To, receipt, err, time.Since(began))
	return receipt, err
}

// resentAlready tells a resend that is repeated from one of a delivery that
// arrived at first, which is refused as given.
func (c *Client) resentAlready(ctx context.Context, id string, refused error) (Receipt, error) {
	r, err := c.Delivery(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if !slices.ContainsFunc(r.Decisions, func(d Decision) bool { return d.Action == Resend }) {
		return r.Receipt, refused
	}
	r.Replayed = true
	return r.Receipt, nil
}

// DiscardDelivery closes a delivery because a person, who, wants what did not
// arrive never to be sent. To discard it again answers the same.
//
// Errors: CodeInvalidRequest (of who); CodeUnknownDelivery; CodeDeliverySent;
// CodeDeliveryBusy; CodeJournal.
func (c *Client) DiscardDelivery(ctx context.Context, id, who string) (Record, error) {
	ctx = ensureMessageID(ctx)
	if err := checkWho(who); err != nil {
		return Record{}, err
	}
	var r Record
	err := c.ask(ctx, "descartar", func(ctx context.Context) (err error) {
		r, err = c.cfg.Journal.Discard(ctx, id, who)
		return err
	})
	if err == nil {
		c.logDecision(ctx, Discard, id, who)
	}
	return r, err
}

func (c *Client) logDecision(ctx context.Context, a Action, id, who string) {
	message := map[Action]string{Resend: "una persona pidió reenviar un envío", Discard: "una persona descartó un envío"}[a]
	c.log(ctx, slog.LevelInfo, stageJournal, message, slog.String("delivery_id", id), slog.String("quien", who))
}

func checkWho(who string) error {
	if strings.TrimSpace(who) == "" || utf8.RuneCountInString(who) > MaxWho || strings.ContainsFunc(who, unicode.IsControl) {
		return fail(CodeInvalidRequest, "Quien decide debe tener un nombre de 1 a %d caracteres, en una línea.", MaxWho)
	}
	return nil
}

// CheckJournal asks the journal whether it can be used: by its own Check, if it
// has one, as package ccm/delivery's does, else by a list of one. The error is
// CodeJournal, and its message says what to do.
func (c *Client) CheckJournal(ctx context.Context) error {
	check := func(ctx context.Context) error {
		_, err := c.cfg.Journal.List(ctx, Filter{Limit: 1})
		return err
	}
	if checks, ok := c.cfg.Journal.(interface{ Check(context.Context) error }); ok {
		check = checks.Check
	}
	err := c.newLedger(false, false).call(ctx, "examinar", check)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return journalFault(ctx.Err()) // so much patience was given to it
	}
	return err
}
