package ccm

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// journalTimeout bounds one call of the journal.
const journalTimeout = 5 * time.Second

// ledger is the journal as one send uses it. Where the journal is away when it
// begins, an alert goes on without one, and a report stops.
type ledger struct {
	client  *Client
	journal Journal // nil: given up
	urgent  bool
	quiet   bool // a doubt about this send is told nobody in the chat of alerts
	sends   bool // an error before a write says what becomes of the send
}

func (c *Client) newLedger(urgent, quiet bool) *ledger {
	return &ledger{client: c, journal: c.cfg.Journal, urgent: urgent, quiet: quiet}
}

// call is one call of the journal, bounded and measured. Its error is an *Error.
func (l *ledger) call(ctx context.Context, what string, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	began := time.Now()
	err := do(bounded)
	took := time.Since(began)
	addTimings(ctx, Timings{Journal: took})
	_, refused := errors.AsType[*Error](err)
	answered := err == nil || refused
	if answered || ctx.Err() == nil { // who hung up says nothing of the journal
		l.client.counts.journal(took, answered)
	}
	l.client.log(ctx, slog.LevelDebug, stageJournal, "diario consultado", slog.String("consulta", what), durationAttr(took))
	switch {
	case answered:
		return err
	case ctx.Err() != nil:
		return &Error{CodeJournal, "La petición terminó antes de que el diario de envíos respondiera.", err}
	}
	return journalFault(err)
}

// stops says of a failure of the journal that nothing more is sent because of it.
func (l *ledger) stops(err error) error {
	fault, ok := errors.AsType[*Error](err)
	if !ok || !l.sends || fault.Code != CodeJournal {
		return err
	}
	return &Error{fault.Code, fault.Message + stopped, fault.Err}
}

// orWithout lets an alert go on without the journal.
func (l *ledger) orWithout(ctx context.Context, err error) error {
	if !l.urgent || CodeOf(err) != CodeJournal {
		return err
	}
	l.journal = nil
	l.client.log(ctx, slog.LevelWarn, stageJournal, "el diario de envíos falla: la alerta sale sin él", reasonAttr(err))
	return nil
}

// resume is Journal.Resume.
func (l *ledger) resume(ctx context.Context, key, fingerprint string) (known Record, err error) {
	if len(key) > MaxKeyLength {
		return known, fail(CodeInvalidKey, "La clave de idempotencia pasa de %d caracteres.", MaxKeyLength)
	}
	err = l.call(ctx, "buscar la clave", func(ctx context.Context) (err error) {
		known, err = l.journal.Resume(ctx, key, fingerprint)
		return err
	})
	if err != nil {
		return Record{}, l.orWithout(ctx, l.stops(err))
	}
	return known, nil
}

// begin is Journal.Begin; without a journal the draft goes out as it is.
func (l *ledger) begin(ctx context.Context, draft Record, d Delivery) (Record, error) {
	for _, part := range draft.Parts {
		d.Parts = append(d.Parts, part.Part)
	}
	if l.journal != nil {
		var begun Record
		err := l.call(ctx, "empezar", func(ctx context.Context) (err error) {
			begun, err = l.journal.Begin(ctx, d)
			return err
		})
		if err == nil {
			return begun, nil
		}
		if err = l.orWithout(ctx, l.stops(err)); err != nil {
			return draft, err
		}
	}
	draft.Unrecorded = true
	return draft, nil
}

// mark is Journal.Mark; what happened is written down even if the caller has
// gone. What began in the journal does not go on without it.
func (l *ledger) mark(ctx context.Context, id string, part int, r PartResult) error {
	if l.journal == nil {
		return nil
	}
	err := l.call(context.WithoutCancel(ctx), "anotar una parte", func(ctx context.Context) error {
		return l.journal.Mark(ctx, id, part, r)
	})
	if r.State == Sending {
		err = l.stops(err)
	}
	return err
}

// end is Journal.End. Its failure changes nothing for the caller: the journal
// makes up for it by itself.
func (l *ledger) end(ctx context.Context, id string) {
	if id == "" || l.journal == nil {
		return
	}
	err := l.call(context.WithoutCancel(ctx), "terminar", func(ctx context.Context) error { return l.journal.End(ctx, id) })
	if err != nil {
		l.client.log(ctx, slog.LevelWarn, stageJournal, "no se pudo cerrar el envío en el diario: lo hará cuando responda", reasonAttr(err))
	}
}
