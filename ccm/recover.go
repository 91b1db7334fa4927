package ccm

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/store"
)

// Recover goes on with deliveries whose process is gone, one by one: what was
// being written has become uncertain, and is told; what surely was not sent is
// sent, unless it is older than RecoverWindow. A service calls it when it starts
// and every few seconds; n is how many deliveries were taken over. With another
// Recover of the same Client under way it does nothing.
//
// A report of which nothing went out is rendered again where the day has changed.
// If that cannot be done now, or Telegram cannot be reached, the next Recover
// tries again; so it does with an alert during which the journal went away.
//
// Its error is one of the journal; a delivery that fails is logged, and stays in
// the journal for a person.
func (c *Client) Recover(ctx context.Context) (n int, err error) {
	if !c.recovering.TryLock() {
		return 0, nil
	}
	defer c.recovering.Unlock()
	if c.bot == nil {
		return 0, nil // who has one does it
	}
	left := c.unfinished.take()
	for ctx.Err() == nil {
		l := c.newLedger(false, false)
		var r Record
		err = l.call(ctx, "recuperar", func(ctx context.Context) (err error) {
			r, err = l.journal.Recover(ctx)
			return err
		})
		if err != nil || r.ID == "" {
			break
		}
		n++
		c.counts.recovered()
		c.takeOver(ctx, r, false)
	}
	for _, r := range left {
		if err != nil {
			c.unfinished.leave(r)
			continue
		}
		c.takeOver(ctx, r, true)
	}
	return n, err
}

// takeOver does what is left of a delivery that is claimed and has no caller any
// more; again says that it was tried before.
func (c *Client) takeOver(ctx context.Context, r Record, again bool) {
	began := time.Now()
	ctx = ensureMessageID(WithMessageID(ctx, r.Meta.MessageID))
	l := c.newLedger(false, isOfDoubt(r.Key))
	if doubts := r.uncertain(); doubts > 0 && !again {
		c.log(ctx, slog.LevelWarn, stageJournal, "un envío interrumpido dejó partes sin confirmar: pudieron haber llegado y no se repiten solas",
			slog.String("delivery_id", r.ID), slog.String("dataset_id", r.Report), slog.Int("partes", doubts))
		c.doubt(ctx, l, r.Receipt, doubts)
	}
	r, err := c.finishOff(ctx, l, r)
	if err != nil && c.mayTryAgain(r, err) {
		if !again {
			c.log(ctx, slog.LevelWarn, stageJournal, "un envío interrumpido no se puede terminar aún: se reintenta",
				slog.String("delivery_id", r.ID), slog.String("dataset_id", r.Report), codeAttr(err), reasonAttr(err))
		}
		c.unfinished.leave(r)
		return
	}
	l.end(ctx, r.ID)
	c.logSend(ctx, r.To, r.Receipt, err, time.Since(began))
}

// finishOff sends what may still be sent by itself. After a refusal that is
// nothing: no part comes before another.
func (c *Client) finishOff(ctx context.Context, l *ledger, r Record) (Record, error) {
	if len(r.todo()) == 0 || r.count(Refused) > 0 {
		c.counts.delivery(r.Receipt)
		return r, r.failure()
	}
	s, err := c.shipmentOf(ctx, r)
	if err == nil {
		r, err = c.renew(ctx, l, r, s)
	}
	if err == nil {
		r.Receipt, err = c.deliver(ctx, l, r.To, r.Receipt)
	}
	return r, err
}

// mayTryAgain reports whether a delivery that failed with err may be sent later
// by itself.
func (c *Client) mayTryAgain(r Record, err error) bool {
	switch CodeOf(err) {
	case CodeDeliveryBusy, CodeInvalidBranch, CodeInvalidRequest:
		return false // somebody else's now, or never to be had again
	}
	return r.count(Pending) > 0 && r.count(Refused) == 0 && c.cfg.Now().Sub(r.BeganAt) < RecoverWindow
}

// renew renders a claimed report again, where nothing of it went out and the day
// at the centre is no longer the one that it tells of.
func (c *Client) renew(ctx context.Context, l *ledger, r Record, s shipment) (Record, error) {
	if s.compose == nil || s.urgent || r.Replayed || !r.fresh() || r.BeganAt.IsZero() || store.DateOf(r.BeganAt.In(c.cfg.Location)) == c.cfg.today() {
		return r, nil
	}
	draft, err := s.draft(ctx)
	if err != nil {
		return r, err
	}
	renewed, err := l.begin(ctx, Record{Receipt: draft}, Delivery{
		ID: r.ID, Key: r.Key, Fingerprint: s.fingerprint(r.To), Report: r.Report, Request: s.asked(), To: r.To, Meta: draft.Meta, At: c.cfg.Now(),
	})
	if err != nil {
		return r, err
	}
	r.Receipt = renewed.Receipt
	return r, nil
}

// fresh reports whether surely nothing of a delivery was ever in the chat.
func (r Receipt) fresh() bool {
	return r.untouched() && !slices.ContainsFunc(r.Parts, func(p PartResult) bool { return p.Doubtful || p.State == Discarded })
}

// shipmentOf is the shipment that a delivery was made of; the zero one where it is
// not to be rendered again, as an alert never is.
func (c *Client) shipmentOf(ctx context.Context, r Record) (shipment, error) {
	if r.Report == AlertID || !r.fresh() {
		return shipment{}, nil
	}
	var asked reportRequest
	if err := json.Unmarshal(r.Request, &asked); err != nil {
		return shipment{}, &Error{CodeInvalidRequest, "No se sabe con qué se pidió ese reporte: pídalo de nuevo.", err}
	}
	q := request{branch: asked.Branch, days: asked.Days, refresh: asked.Refresh, today: c.cfg.today()}
	if err := c.cfg.authorise(q.branch, q.branch); err != nil {
		return shipment{}, err
	}
	switch r.Report {
	case UpcomingArrivals:
		return c.arrivals.shipment(ctx, q, report.Arrivals), nil
	case UpcomingBirthdays:
		return c.birthdays.shipment(ctx, q, report.Birthdays), nil
	}
	return shipment{}, fail(CodeInvalidRequest, "No hay un reporte «%s»: lo envió otra versión.", r.Report)
}
