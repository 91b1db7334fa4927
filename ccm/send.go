package ccm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/telegram"
)

// MaxKeyLength is the longest SendOptions.Key, in bytes: room for an HTTP
// Idempotency-Key of 255 characters and for whose it is.
const MaxKeyLength = 512

// SendOptions says how a message is sent. The zero SendOptions sends it to
// Config.Chat, each time it is asked to.
type SendOptions struct {
	// Key makes the same request with the same key send once: success, partial
	// and uncertain outcomes are kept for 24 h and given again, except that a
	// partial one without doubt goes on with its next part. After a definite
	// refusal the key is free again. "": no key.
	Key string
	// DryRun renders the message and sends nothing: Receipt.Parts holds it, all
	// Pending. It needs no Telegram, and Key is ignored.
	DryRun bool
	// To is where the message goes; zero: Config.Chat.
	To telegram.Target
}

// SendArrivals sends the report of the districts that enter the centre in the
// next Query.Days, or a friendly line if there are none.
//
// Once the first part is on its way, cancelling ctx does not stop the others:
// see FinishTimeout. The Receipt is meaningful beside an error too.
//
// Errors: those of [Client.Arrivals]; of the key CodeInvalidKey, CodeKeyReused
// and CodeKeyBusy; CodeTelegramDisabled; CodeJournal where the journal is away
// (nothing is sent: a report sent twice is worse than one that is late); and
// CodeTelegramAPI, CodeTelegramHTTP, CodeTelegramStatus, CodeTelegramEmpty,
// CodeTelegramRateLimited, CodeTelegramTimeout, in which errors.As finds a
// [telegram.Error] with its outcome.
func (c *Client) SendArrivals(ctx context.Context, q Query, o SendOptions) (Receipt, error) {
	return sendReport(ctx, c.arrivals, report.Arrivals, q, o)
}

// SendBirthdays sends the report of the birthdays in the next Query.Days. All
// else is as in [Client.SendArrivals].
func (c *Client) SendBirthdays(ctx context.Context, q Query, o SendOptions) (Receipt, error) {
	return sendReport(ctx, c.birthdays, report.Birthdays, q, o)
}

func sendReport[T any](ctx context.Context, d *dataset[T], render func(report.Info, []T) telegram.Message, q Query, o SendOptions) (Receipt, error) {
	ctx = ensureMessageID(ctx)
	r, err := d.client.cfg.resolve(q, d.window)
	if err != nil {
		return Receipt{Meta: d.meta(ctx, r)}, err
	}
	return d.client.send(ctx, d.shipment(ctx, r, render), o)
}

// reportRequest is what it takes to render a report again.
type reportRequest struct {
	Branch  int  `json:"branch_id"` // 0: every one
	Days    int  `json:"days_ahead"`
	Refresh bool `json:"force_refresh,omitempty"`
}

// shipment is the report that r asks for.
func (d *dataset[T]) shipment(ctx context.Context, r request, render func(report.Info, []T) telegram.Message) shipment {
	known := d.meta(ctx, r)
	return shipment{
		meta:    known,
		request: reportRequest{r.branch, r.days, r.refresh},
		compose: func(ctx context.Context) ([]telegram.Part, Meta, error) {
			s, meta, err := d.find(ctx, r, known)
			if err != nil {
				return nil, meta, err
			}
			return d.draw(s, d.client.info(r, meta), render), meta, nil
		},
	}
}

// info is what a report says beside its records.
func (c *Client) info(r request, m Meta) report.Info {
	in := report.Info{
		Branch:   r.branch,
		Today:    r.today,
		Days:     r.days,
		LoadedAt: m.GeneratedAt.In(c.cfg.Location),
		Stale:    m.Cache.Stale,
		Skipped:  m.RecordsSkipped,
	}
	if in.Stale {
		in.Age = time.Duration(m.Cache.AgeMS) * time.Millisecond
	}
	return in
}

// shipment is a message to be sent, before it is composed.
type shipment struct {
	meta    Meta // as far as it is known before
	request any  // what was asked for, which tells it apart as JSON
	urgent  bool // goes out even where the journal is away
	quiet   bool // a doubt about it is told nobody
	compose func(context.Context) ([]telegram.Part, Meta, error)
}

// asked is what was asked for, as the journal keeps it.
func (s shipment) asked() json.RawMessage {
	text, err := json.Marshal(s.request)
	if err != nil {
		panic(err) // strings and numbers: it encodes
	}
	return text
}

// fingerprint tells requests apart that come with the same key.
func (s shipment) fingerprint(to telegram.Target) string {
	text, err := json.Marshal([]any{s.meta.Dataset, s.asked(), to})
	if err != nil {
		panic(err) // strings and numbers: it encodes
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// draft composes the message.
func (s shipment) draft(ctx context.Context) (Receipt, error) {
	parts, meta, err := s.compose(ctx)
	if err != nil {
		return Receipt{Meta: meta}, err
	}
	return Receipt{Parts: pendingParts(parts), Meta: meta}, nil
}

// renderSpared renders a message, with room for what may have to be said of it later.
func renderSpared(m telegram.Message) []telegram.Part {
	m.Spare = noteRoom
	return telegram.Render(m)
}

// send sends a shipment, and logs what became of it.
func (c *Client) send(ctx context.Context, s shipment, o SendOptions) (Receipt, error) {
	began := time.Now()
	if o.To == (telegram.Target{}) {
		o.To = c.cfg.Chat
	}
	receipt, err := c.dispatch(ctx, s, o)
	if !o.DryRun {
		c.logSend(ctx, o.To, receipt, err, time.Since(began))
	}
	return receipt, err
}

// dispatch goes the way of a shipment: journal, data, message, Telegram.
func (c *Client) dispatch(ctx context.Context, s shipment, o SendOptions) (Receipt, error) {
	if o.DryRun {
		return s.draft(ctx)
	}
	l := c.newLedger(s.urgent, s.quiet)
	l.sends = true
	fingerprint := s.fingerprint(o.To)
	if o.Key != "" {
		known, err := l.resume(ctx, o.Key, fingerprint)
		if err != nil {
			return Receipt{Meta: s.meta}, err
		}
		if known.ID != "" {
			return c.goOnToday(ctx, l, known)
		}
	}
	draft, err := s.draft(ctx)
	if err != nil {
		return draft, err
	}
	if err := c.canSend(o.To); err != nil {
		return draft, err
	}
	begun, err := l.begin(ctx, Record{Receipt: draft, To: o.To}, Delivery{
		Key: o.Key, Fingerprint: fingerprint, Report: s.meta.Dataset, Request: s.asked(), To: o.To, Meta: draft.Meta, At: c.cfg.Now(),
	})
	if err != nil {
		return draft, err
	}
	return c.goOn(ctx, l, begun)
}

// goOnToday is goOn of a delivery that began before, perhaps on another day.
func (c *Client) goOnToday(ctx context.Context, l *ledger, r Record) (Receipt, error) {
	r, err := c.renew(ctx, l, r)
	if err != nil {
		l.end(ctx, r.ID)
		return r.Receipt, err
	}
	return c.goOn(ctx, l, r)
}

// goOn gives a finished delivery again, or sends what is left of one that is
// claimed, and ends the claim.
func (c *Client) goOn(ctx context.Context, l *ledger, r Record) (Receipt, error) {
	if r.Replayed {
		return r.Receipt, r.failure()
	}
	err := c.canSend(r.To)
	if err == nil {
		r.Receipt, err = c.deliver(ctx, l, r.To, r.Receipt)
	}
	if l.urgent && l.journal != nil && CodeOf(err) == CodeJournal {
		c.unfinished.leave(r)
		return r.Receipt, errLater(err)
	}
	if l.urgent && l.quiet && l.journal != nil && err != nil && c.mayTryAgain(r, err) {
		c.unfinished.leave(r) // nobody else would tell of the doubt
		return r.Receipt, err
	}
	l.end(ctx, r.ID)
	return r.Receipt, err
}

// errLater is of an alert that began in the journal, and goes on with it.
func errLater(err error) error {
	return &Error{CodeJournal, "El diario de envíos dejó de responder con la alerta empezada. Un servicio en marcha envía lo que falta en cuanto responda; la terminal no. Antes de repetirla, mire con «ccm-api entregas listar» si salió.", err}
}

var errNoBot = fail(CodeTelegramDisabled, "Telegram está apagado: ponga TELEGRAM_ENABLED=true y TELEGRAM_BOT_TOKEN; dry_run funciona sin ellos.")

// canSend reports what keeps Telegram from being called at all.
func (c *Client) canSend(to telegram.Target) error {
	switch {
	case c.bot == nil:
		return errNoBot
	case to.Chat == "":
		return fail(CodeTelegramDisabled, "No hay chat al que enviar: falta TELEGRAM_CHAT_ID.")
	}
	return nil
}

func pendingParts(parts []telegram.Part) []PartResult {
	results := make([]PartResult, len(parts))
	for i, part := range parts {
		results[i] = PartResult{Part: part, State: Pending}
	}
	return results
}

// logSend writes the one line of a send.
func (c *Client) logSend(ctx context.Context, to telegram.Target, r Receipt, err error, took time.Duration) {
	meta := r.Meta
	meta.DurationMS = milliseconds(took)
	attrs := append(meta.attrs(), slog.String("telegram_chat_id", to.Chat), slog.Int("records_sent", r.delivered()))
	if r.ID != "" {
		attrs = append(attrs, slog.String("delivery_id", r.ID))
	}
	if err != nil {
		attrs = append(attrs, codeAttr(err), reasonAttr(err))
	}
	level, message := slog.LevelInfo, "envío entregado"
	switch code := CodeOf(err); {
	case r.Replayed:
		message = "envío ya hecho con esta clave: no se repite"
	case code == CodeKeyBusy, code == CodeKeyReused, code == CodeInvalidKey:
		message = "envío rechazado por su clave"
	case r.uncertain() > 0:
		level, message = slog.LevelWarn, "envío sin confirmar: mire el chat antes de repetirlo"
	case err != nil:
		level, message = slog.LevelError, "envío fallido"
	}
	c.log(ctx, level, stageTelegram, message, attrs...)
}
