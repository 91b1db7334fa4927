package ccm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ccmwf/ccm/telegram"
)

// duplicateNote is what the message of a doubtful part says first, and noteRoom
// the place that every message leaves for it.
const (
	duplicateNote = "(posible duplicado)"
	noteRoom      = 32
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
	todo    []int     // the parts of the receipt that Deliver is given
	began   time.Time // the write under way
}

// deliver sends the parts of a claimed receipt that surely have not arrived. The
// claim stays the caller's to end.
func (c *Client) deliver(ctx context.Context, l *ledger, to telegram.Target, r Receipt) (Receipt, error) {
	began := time.Now()
	leash, release := newLeash(ctx)
	defer release()
	d := &delivery{client: c, ledger: l, ctx: ctx, leash: leash, to: to, receipt: r, todo: r.todo()}
	if len(d.todo) == 0 {
		return r, r.failure()
	}
	if !r.untouched() {
		_ = leash.loosen() // who has gone already is told before the first write
	}
	parts := make([]telegram.Part, len(d.todo))
	for i, n := range d.todo {
		parts[i] = r.Parts[n].Part
		if r.Parts[n].Doubtful {
			parts[i] = parts[i].WithNote(duplicateNote)
		}
	}
	_, err := c.bot.Deliver(leash, to, parts, d.mark)
	addTimings(ctx, Timings{Telegram: time.Since(began)})
	d.settle(err)
	d.receipt.Unrecorded = l.journal == nil
	c.counts.delivery(d.receipt)
	if n := d.doubts(); n > 0 {
		c.doubt(ctx, l, d.receipt, n)
	}
	return d.receipt, d.receipt.failure()
}

// mark is the telegram.Mark of the delivery.
func (d *delivery) mark(part int, sent telegram.Sent, err error) error {
	part = d.todo[part]
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
		r.State, r.Sent, r.Err = stateOf(err), telegram.Sent{Chat: sent.Chat, Attempts: sent.Attempts}, telegramError(err)
	}
	if d.receipt.untouched() {
		d.leash.tie()
	}
	d.logWrite(part, sent, err)
	err = d.ledger.mark(d.ctx, d.receipt.ID, part, *r)
	if err != nil {
		d.client.log(d.ctx, slog.LevelWarn, stageJournal, "no se pudo anotar en el diario qué fue de una parte: lo hará cuando responda", reasonAttr(err))
	}
	return err
}

// settle gives the first part that was left unsent the reason why, if it has none:
// what stopped the delivery, which is the last of the failures.
func (d *delivery) settle(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		err = all.Unwrap()[len(all.Unwrap())-1]
	}
	if err == nil || stateOf(err) == Uncertain {
		return
	}
	for _, part := range d.todo {
		r := &d.receipt.Parts[part]
		switch r.State {
		case Delivered, Uncertain:
			continue
		}
		if r.Err == nil {
			r.Err = telegramError(err)
		}
		return
	}
}

// doubts counts the parts that this delivery left in doubt.
func (d *delivery) doubts() int {
	n := 0
	for _, part := range d.todo {
		if s := d.receipt.Parts[part].State; s == Uncertain || s == Sending {
			n++
		}
	}
	return n
}

// logWrite logs one write.
func (d *delivery) logWrite(part int, sent telegram.Sent, err error) {
	level, message := slog.LevelDebug, "Telegram consultado"
	attrs := []slog.Attr{
		slog.String("dataset_id", d.receipt.Meta.Dataset), slog.String("telegram_chat_id", d.to.Chat),
		slog.Int("records_sent", d.receipt.delivered()), durationAttr(time.Since(d.began)),
	}
	if sent.Degraded && err == nil {
		level, message = slog.LevelWarn, "Telegram no entendió el formato de una parte: se entregó como texto sin formato"
	}
	if r := d.receipt.Parts[part]; r.Err != nil {
		attrs = append(attrs, codeAttr(r.Err), reasonAttr(err))
		if r.State == Uncertain {
			level, message = slog.LevelWarn, "una parte quedó sin confirmar: pudo haber llegado y no se repite sola"
			attrs = append(attrs, slog.String("delivery_id", d.receipt.ID), slog.Int("part", part+1))
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
