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
}

// resume is Journal.Resume.
func (l *ledger) resume(ctx context.Context, key, fingerprint string) (Record, error) {
	if len(key) > MaxKeyLength {
		return Record{}, fail(CodeInvalidKey, "La clave de idempotencia pasa de %d caracteres.", MaxKeyLength)
	}
	ctx, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	known, err := l.journal.Resume(ctx, key, fingerprint)
	return known, l.judge(ctx, err)
}

// begin is Journal.Begin; without a journal the draft goes out as it is.
func (l *ledger) begin(ctx context.Context, draft Receipt, d Delivery) (Receipt, error) {
	if l.journal == nil {
		return draft, nil
	}
	for _, part := range draft.Parts {
		d.Parts = append(d.Parts, part.Part)
	}
	ctx, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	begun, err := l.journal.Begin(ctx, d)
	if err := l.judge(ctx, err); err != nil {
		return draft, err
	}
	if l.journal == nil {
		return draft, nil
	}
	return begun.Receipt, nil
}

// mark is Journal.Mark; what happened is written down even if the caller has gone.
func (l *ledger) mark(ctx context.Context, id string, part int, r PartResult) error {
	if l.journal == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	return l.judge(ctx, l.journal.Mark(ctx, id, part, r))
}

// end is Journal.End. Its failure changes nothing for the caller: the journal
// finds a claim that nobody holds by itself.
func (l *ledger) end(ctx context.Context, id string) {
	if l.journal == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	if err := l.journal.End(ctx, id); err != nil {
		l.client.log(ctx, slog.LevelWarn, stageJournal, "no se pudo cerrar el envío en el diario", reasonAttr(err))
	}
}

// judge decides what a failure of the journal means.
func (l *ledger) judge(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if l.urgent {
		l.journal = nil
		l.client.log(ctx, slog.LevelWarn, stageJournal, "el diario de envíos no responde: la alerta sale sin él", reasonAttr(err))
		return nil
	}
	return &Error{CodeInternal, "El diario de envíos no responde, y sin él un reporte podría salir dos veces: el envío se detuvo.", err}
}
