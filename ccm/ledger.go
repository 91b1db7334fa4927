package ccm

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// journalTimeout bounds one call of the journal.
const journalTimeout = 5 * time.Second

// ledger is the journal as one send uses it. Where the journal is away, an
// alert goes on without one, and a report stops.
type ledger struct {
	client  *Client
	journal Journal // nil: given up
	urgent  bool
	quiet   bool // a doubt about this send is told nobody in the chat of alerts
	sends   bool // its errors say what became of the send
	behind  bool // the journal does not know all that happened
}

func (c *Client) newLedger(urgent, quiet bool) *ledger {
	return &ledger{client: c, journal: c.cfg.Journal, urgent: urgent, quiet: quiet}
}

// call is one call of the journal, bounded, measured and judged.
func (l *ledger) call(ctx context.Context, what string, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	began := time.Now()
	err := do(bounded)
	took := time.Since(began)
	addTimings(ctx, Timings{Journal: took})
	answered := err == nil || isOurs(err)
	if answered || ctx.Err() == nil { // who hung up says nothing of the journal
		l.client.counts.journal(took, answered)
	}
	l.client.log(ctx, slog.LevelDebug, stageJournal, "diario consultado", slog.String("consulta", what), durationAttr(took))
	return l.judge(ctx, err)
}

// isOurs reports whether the journal answered, and the answer is no.
func isOurs(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// judge decides what a failure of the journal means.
func (l *ledger) judge(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case isOurs(err):
		return err
	case l.urgent:
		l.journal, l.behind = nil, true
		fault := journalFault(err)
		l.client.log(ctx, slog.LevelWarn, stageJournal, "el diario de envíos falla: la alerta sale sin él",
			slog.String("arreglo", fault.Message), reasonAttr(err))
		return nil
	case ctx.Err() != nil:
		return &Error{CodeJournal, "La petición terminó antes de que el diario de envíos respondiera, y el mensaje no salió.", err}
	}
	fault := journalFault(err)
	if l.sends {
		fault.Message += stopped
	}
	return fault
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
	return known, err
}

// begin is Journal.Begin; without a journal the draft goes out as it is.
func (l *ledger) begin(ctx context.Context, draft Record, d Delivery) (Record, error) {
	if l.journal == nil {
		draft.Unrecorded = true
		return draft, nil
	}
	for _, part := range draft.Parts {
		d.Parts = append(d.Parts, part.Part)
	}
	var begun Record
	err := l.call(ctx, "empezar", func(ctx context.Context) (err error) {
		begun, err = l.journal.Begin(ctx, d)
		return err
	})
	if l.journal == nil {
		draft.Unrecorded = true
	}
	if err != nil || l.journal == nil {
		return draft, err
	}
	return begun, nil
}

// mark is Journal.Mark; what happened is written down even if the caller has gone.
func (l *ledger) mark(ctx context.Context, id string, part int, r PartResult) error {
	if l.journal == nil {
		return nil
	}
	err := l.call(context.WithoutCancel(ctx), "anotar una parte", func(ctx context.Context) error {
		return l.journal.Mark(ctx, id, part, r)
	})
	if err != nil && r.State != Sending {
		l.behind = true
	}
	return err
}

// end is Journal.End, once nothing more is done with a receipt. Where the journal
// missed some of it, the Client goes on trying to tell: see settle.
func (l *ledger) end(ctx context.Context, r Receipt) {
	if r.ID == "" {
		return
	}
	if l.journal != nil && !l.behind {
		l.urgent = false
		err := l.finish(ctx, r.ID)
		if err == nil {
			return
		}
		l.client.log(ctx, slog.LevelWarn, stageJournal, "no se pudo cerrar el envío en el diario: se reintenta", reasonAttr(err))
	}
	l.client.owe(r)
}

func (l *ledger) finish(ctx context.Context, id string) error {
	return l.call(context.WithoutCancel(ctx), "terminar", func(ctx context.Context) error { return l.journal.End(ctx, id) })
}
