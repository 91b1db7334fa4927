package ccm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ccmwf/ccm/telegram"
)

// delivery is a receipt on its way: each part is in the journal before and
// after its write.
type delivery struct {
	client  *Client
	ledger  *ledger
	ctx     context.Context //nolint:containedctx // of the send, for log lines and the journal: a telegram.Mark is given none
	leash   *leash
	to      telegram.Target
	receipt Receipt
	first   int       // the part of the receipt that is part 0 of Deliver
	began   time.Time // the write under way
}

// deliver sends the parts of a claimed receipt that have not arrived, and
// releases the claim.
func (c *Client) deliver(ctx context.Context, l *ledger, to telegram.Target, r Receipt) (Receipt, error) {
	began := time.Now()
	leash, release := newLeash(ctx)
	defer release()
	d := &delivery{client: c, ledger: l, ctx: ctx, leash: leash, to: to, receipt: r, first: r.next()}
	defer l.end(ctx, r.ID)
	if d.first > 0 {
		_ = leash.loosen() // who has gone already is told before the first write
	}
	parts := make([]telegram.Part, 0, len(r.Parts))
	for _, part := range r.Parts[d.first:] {
		parts = append(parts, part.Part)
	}
	_, err := c.bot.Deliver(leash, to, parts, d.mark)
	addTimings(ctx, Timings{Telegram: time.Since(began)})
	d.settle(err)
	return d.receipt, d.receipt.failure()
}

// mark is the telegram.Mark of the delivery.
func (d *delivery) mark(part int, sent telegram.Sent, err error) error {
	part += d.first
	if err == nil && sent.ID == 0 {
		return d.before(part)
	}
	return d.after(part, sent, err)
}

// before notes that a part is about to be written. From here on the caller may
// go: a write that is cut off would leave a doubt.
func (d *delivery) before(part int) error {
	r := d.receipt.Parts[part]
	r.State, r.Err = Sending, nil
	if err := d.leash.loosen(); err != nil {
		return telegramError(&telegram.Error{Method: "sendMessage", Outcome: telegram.NotSent, Err: err})
	}
	if err := d.ledger.mark(d.ctx, d.receipt.ID, part, r); err != nil {
		return err
	}
	d.receipt.Parts[part] = r
	d.began = time.Now()
	return nil
}

// after notes what became of a write.
func (d *delivery) after(part int, sent telegram.Sent, err error) error {
	r := &d.receipt.Parts[part]
	r.State, r.Sent, r.Err = Delivered, sent, nil
	if err != nil {
		r.State, r.Sent, r.Err = stateOf(err), telegram.Sent{}, telegramError(err)
	}
	if d.receipt.untouched() {
		d.leash.tie()
	}
	d.logWrite(part, err)
	err = d.ledger.mark(d.ctx, d.receipt.ID, part, *r)
	if err != nil {
		d.client.log(d.ctx, slog.LevelWarn, stageJournal, "no se pudo anotar en el diario qué fue de una parte", reasonAttr(err))
	}
	return err
}

// settle gives the first part that did not arrive the reason why, if none has one.
func (d *delivery) settle(err error) {
	if err == nil {
		return
	}
	for i := range d.receipt.Parts {
		r := &d.receipt.Parts[i]
		if r.State == Delivered {
			continue
		}
		if r.Err == nil {
			r.Err = telegramError(err)
		}
		return
	}
}

// logWrite logs one write.
func (d *delivery) logWrite(part int, err error) {
	level, message := slog.LevelDebug, "Telegram consultado"
	attrs := []slog.Attr{
		slog.String("dataset_id", d.receipt.Meta.Dataset), slog.String("telegram_chat_id", d.to.Chat),
		slog.Int("records_sent", d.receipt.delivered()), durationAttr(time.Since(d.began)),
	}
	if r := d.receipt.Parts[part]; r.Err != nil {
		attrs = append(attrs, codeAttr(r.Err), reasonAttr(err))
		if r.State == Uncertain {
			level, message = slog.LevelWarn, "una parte quedó sin confirmar: pudo haber llegado y no se repite sola"
		}
	}
	d.client.log(d.ctx, level, stageTelegram, message, attrs...)
}

// stateOf is what a failed write makes of its part.
func stateOf(err error) State {
	sent, ok := errors.AsType[*telegram.Error](err)
	switch {
	case !ok, sent.Outcome == telegram.NotSent, sent.Outcome == telegram.RateLimited:
		return Pending
	case sent.Outcome == telegram.Refused:
		return Refused
	}
	return Uncertain
}
