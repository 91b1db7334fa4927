package ccm_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// alertChat is where doubts are told.
const alertChat = -1007654321000

// haunted is a Journal in memory, of which a test says what a process that is
// gone left in it, and when it is away.
type haunted struct {
	ccm.Journal
	mu   sync.Mutex
	left []string
	away func(call string, r ccm.PartResult) error
}

func (j *haunted) fails(call string, r ccm.PartResult) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.away == nil {
		return nil
	}
	return j.away(call, r)
}

func (j *haunted) goAway(when func(call string, r ccm.PartResult) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.away = when
}

func (j *haunted) Resume(ctx context.Context, key, fingerprint string) (ccm.Record, error) {
	if err := j.fails("resume", ccm.PartResult{}); err != nil {
		return ccm.Record{}, err
	}
	return j.Journal.Resume(ctx, key, fingerprint)
}

func (j *haunted) Mark(ctx context.Context, id string, part int, r ccm.PartResult) error {
	if err := j.fails("mark", r); err != nil {
		return err
	}
	return j.Journal.Mark(ctx, id, part, r)
}

func (j *haunted) End(ctx context.Context, id string) error {
	if err := j.fails("end", ccm.PartResult{}); err != nil {
		return err
	}
	return j.Journal.End(ctx, id)
}

func (j *haunted) Recover(ctx context.Context) (ccm.Record, error) {
	if err := j.fails("recover", ccm.PartResult{}); err != nil {
		return ccm.Record{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.left) == 0 {
		return ccm.Record{}, nil
	}
	id := j.left[0]
	j.left = j.left[1:]
	r, err := j.Find(ctx, id)
	if err != nil {
		return r, err
	}
	for i, part := range r.Parts {
		if part.State == ccm.Sending {
			part.State = ccm.Uncertain
			if err := j.Journal.Mark(ctx, id, i, part); err != nil {
				return r, err
			}
		}
	}
	return j.Find(ctx, id)
}

// abandon begins a delivery as a process does that is killed after it marked its
// parts so.
func (j *haunted) abandon(tb testing.TB, d ccm.Delivery, states ...ccm.State) string {
	tb.Helper()
	is := is.New(tb)
	d.To = telegram.Target{Chat: "-1001234567890"}
	d.Meta.Dataset = d.Report
	for range states {
		d.Parts = append(d.Parts, telegram.Part{HTML: "<b>de ayer</b>", Plain: "de ayer", UTF16: 7, Entities: 1})
	}
	r, err := j.Begin(tb.Context(), d)
	is.NoErr(err)
	for i, state := range states {
		if state != ccm.Pending {
			is.NoErr(j.Journal.Mark(tb.Context(), r.ID, i, ccm.PartResult{State: state, Sent: telegram.Sent{ID: 1}}))
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left = append(j.left, r.ID)
	return r.ID
}

// states are those of a delivery's parts, and of the whole.
func states(tb testing.TB, c *ccm.Client, id string) string {
	tb.Helper()
	r, err := c.Delivery(tb.Context(), id)
	is.New(tb).NoErr(err)
	all := []string{string(r.State) + ":"}
	for _, p := range r.Parts {
		all = append(all, string(p.State))
	}
	return strings.Join(all, " ")
}

// haunt opens a Client on a haunted journal, with a chat for alerts.
func haunt(t *testing.T, db *database) (*telegramtest.Server, *haunted, *clock, *ccm.Client) {
	fake, cfg := bot(t)
	fake.AddChat(telegramtest.Chat{ID: alertChat, Type: "supergroup", Title: "Avisos"})
	now := &clock{now: at(t, "2026-11-24 12:00:00")}
	j := &haunted{Journal: ccm.NewMemoryJournal(now.Now, 100)}
	cfg.Journal, cfg.Now, cfg.AlertChat = j, now.Now, telegram.Target{Chat: "-1007654321000"}
	return fake, j, now, client(t, cfg, db)
}

var someReport = ccm.Delivery{Report: ccm.UpcomingArrivals, Request: json.RawMessage(`{"branch_id":14,"days_ahead":30}`)}

func TestRecoverSendsWhatSurelyWasNot(t *testing.T) {
	is := is.New(t)
	fake, j, _, c := haunt(t, &database{err: errAway})
	id := j.abandon(t, someReport, ccm.Delivered, ccm.Pending, ccm.Pending)
	refused := j.abandon(t, someReport, ccm.Delivered, ccm.Refused, ccm.Pending)
	n, err := c.Recover(t.Context())
	is.NoErr(err)
	is.Equal(n, 2)
	is.Equal(states(t, c, id), "sent: sent sent sent")
	is.Equal(states(t, c, refused), "refused: sent refused pending") // no part comes before another
	is.Equal(len(fake.Messages(chat)), 2)
	is.Equal(fake.Messages(chat)[0].Text, "de ayer") // as frozen
	n, err = c.Recover(t.Context())
	is.NoErr(err)
	is.Equal(n, 0)
	is.Equal(c.Stats().Recovered, int64(2))
	is.Equal(c.Stats().Deliveries[ccm.Delivered], int64(1))
}

func TestRecoverTellsOfWhatIsInDoubtAndDoesNotSendIt(t *testing.T) {
	is := is.New(t)
	fake, j, _, c := haunt(t, nil)
	id := j.abandon(t, someReport, ccm.Delivered, ccm.Sending, ccm.Pending)
	quiet := j.abandon(t, ccm.Delivery{Report: ccm.AlertID, Key: "ccm incierta x 1"}, ccm.Sending)
	_, err := c.Recover(t.Context())
	is.NoErr(err)
	is.NoErr(c.Close()) // waits for the alert
	is.Equal(states(t, c, id), "uncertain: sent uncertain sent")
	is.Equal(states(t, c, quiet), "uncertain: uncertain")
	is.Equal(len(fake.Messages(chat)), 1)
	told := fake.Messages(alertChat)
	is.Equal(len(told), 1) // an alert about such an alert there is not
	for _, words := range []string{"sin confirmar", "próximos ingresos", "1 de 3", id, "entregas reenviar " + id, "entregas descartar " + id} {
		is.True(strings.Contains(told[0].Text, words))
	}
	is.True(!strings.Contains(told[0].Text, "de ayer"))
	is.Equal(c.Stats().UncertainParts, int64(2))
}

func TestADoubtIsToldOnceAndNeverAboutItself(t *testing.T) {
	is := is.New(t)
	fake, _, _, c := haunt(t, nil)
	fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true, Times: 2}) // the alert's too
	_, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{Key: "k"})
	is.True(err != nil)
	is.NoErr(c.Close())
	is.Equal(len(fake.Messages(alertChat)), 1)
	is.True(!strings.Contains(fake.Messages(alertChat)[0].Text, alert.Body))
}

// shutGate lets nothing through to one chat for so many times: the network is away.
type shutGate struct {
	open
	chat string
	mu   sync.Mutex
	left int
}

func (g *shutGate) Wait(_ context.Context, chat string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if chat == g.chat && g.left > 0 {
		g.left--
		return errAway
	}
	return nil
}

// TestADoubtThatCouldNotBeToldIsToldLater: the network that left the doubt is often
// still away.
func TestADoubtThatCouldNotBeToldIsToldLater(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	fake.AddChat(telegramtest.Chat{ID: alertChat, Type: "supergroup", Title: "Avisos"})
	gate := &shutGate{chat: "-1007654321000", left: 2}
	cfg.AlertChat, cfg.Telegram.Gate = telegram.Target{Chat: gate.chat}, gate
	c := client(t, cfg, nil)
	fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true})
	_, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{})
	is.True(err != nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(fake.Messages(alertChat)) == 0 && ctx.Err() == nil {
		_, err := c.Recover(ctx)
		is.NoErr(err)
		runtime.Gosched() // the first attempt is beside
	}
	told, err := c.Deliveries(t.Context(), ccm.Filter{Chat: gate.chat})
	is.NoErr(err)
	is.Equal(len(told.Records), 1) // and not one for each attempt
	is.Equal(told.Records[0].State, ccm.Delivered)
	is.Equal(len(fake.Messages(alertChat)), 1)
	is.Equal(len(fake.Messages(chat)), 1) // what is in doubt is not sent again
}

func TestAReportOfYesterdayIsRenderedAgain(t *testing.T) {
	db := &database{arrivals: []ccm.Arrival{arrival(t, "A", "2026-11-26", 8)}}
	tomorrow := func(now *clock) { now.set(at(t, "2026-11-25 00:30:00")) }
	t.Run("where nothing of it went out", func(t *testing.T) {
		is := is.New(t)
		fake, j, now, c := haunt(t, db)
		id := j.abandon(t, someReport, ccm.Pending, ccm.Pending)
		tomorrow(now)
		_, err := c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(states(t, c, id), "sent: sent") // one part today
		is.True(strings.Contains(fake.Messages(chat)[0].Text, "mañana"))
	})
	t.Run("but not in the middle", func(t *testing.T) {
		is := is.New(t)
		fake, j, now, c := haunt(t, db)
		j.abandon(t, someReport, ccm.Delivered, ccm.Pending)
		tomorrow(now)
		_, err := c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(fake.Messages(chat)[0].Text, "de ayer")
	})
	t.Run("nor is an alert", func(t *testing.T) {
		is := is.New(t)
		fake, j, now, c := haunt(t, nil)
		j.abandon(t, ccm.Delivery{Report: ccm.AlertID}, ccm.Pending)
		tomorrow(now)
		_, err := c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(fake.Messages(chat)[0].Text, "de ayer")
	})
	t.Run("once its data can be loaded, for a day", func(t *testing.T) {
		is := is.New(t)
		away := &database{err: errAway}
		fake, j, now, c := haunt(t, away)
		id := j.abandon(t, someReport, ccm.Pending)
		tomorrow(now)
		for range 2 {
			_, err := c.Recover(t.Context())
			is.NoErr(err)
			is.Equal(states(t, c, id), "sending: pending") // still claimed
		}
		away.fail(nil)
		now.add(cache.DefaultBackoff) // a source that failed is left alone for so long
		_, err := c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(states(t, c, id), "sent: sent")
		is.Equal(len(fake.Messages(chat)), 1)

		now.set(at(t, "2026-11-25 12:00:00"))
		late := j.abandon(t, someReport, ccm.Pending)
		away.fail(errAway)
		now.add(23 * time.Hour)
		_, err = c.Recover(t.Context())
		is.NoErr(err)
		now.add(2 * time.Hour)
		_, err = c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(states(t, c, late), "pending: pending") // a person decides
	})
	t.Run("when a person has it sent again", func(t *testing.T) {
		is := is.New(t)
		fake, _, now, c := haunt(t, db)
		fake.Script(telegramtest.Fault{Method: "sendMessage", Status: 403})
		r, err := c.SendArrivals(t.Context(), ccm.Query{Days: 30}, ccm.SendOptions{})
		is.True(err != nil)
		tomorrow(now)
		again, err := c.ResendDelivery(t.Context(), r.ID, "ana")
		is.NoErr(err)
		is.Equal(again.ID, r.ID)
		is.True(strings.Contains(fake.Messages(chat)[0].Text, "mañana"))
	})
}

func TestRecoverTriesAgainWhereTelegramCouldNotBeReached(t *testing.T) {
	is := is.New(t)
	fake, j, _, c := haunt(t, nil)
	id := j.abandon(t, someReport, ccm.Pending, ccm.Pending)
	fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Status: 429, RetryAfter: 300})
	_, err := c.Recover(t.Context())
	is.NoErr(err)
	is.Equal(states(t, c, id), "sending: sent pending")
	_, err = c.Recover(t.Context())
	is.NoErr(err)
	is.Equal(states(t, c, id), "sent: sent sent")
	is.Equal(len(fake.Messages(chat)), 2)
}

func TestAJournalThatGoesAwayInTheMiddle(t *testing.T) {
	t.Run("stops an alert, which goes on by itself", func(t *testing.T) {
		is := is.New(t)
		fake, j, _, c := haunt(t, nil)
		writes := 0
		j.goAway(func(call string, r ccm.PartResult) error {
			if r.State == ccm.Sending {
				writes++
			}
			if call == "resume" || writes < 2 {
				return nil
			}
			return errJournal
		})
		r, err := c.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
		wants(t, err, ccm.CodeJournal, "envía lo que falta en cuanto responda")
		is.Equal(len(fake.Messages(chat)), 1)
		is.True(!r.Unrecorded)
		_, err = c.Recover(t.Context())
		wants(t, err, ccm.CodeJournal)
		is.True(c.Stats().JournalDown)
		j.goAway(nil)
		_, err = c.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
		wants(t, err, ccm.CodeKeyBusy)
		_, err = c.Recover(t.Context())
		is.NoErr(err)
		is.Equal(states(t, c, r.ID), "sent: sent sent sent")
		is.Equal(len(fake.Messages(chat)), 3)
		is.True(!c.Stats().JournalDown)
		again, err := c.SendAlert(t.Context(), long, ccm.SendOptions{Key: "k"})
		is.NoErr(err)
		is.True(again.Replayed)
	})
	t.Run("after the last write is no failure", func(t *testing.T) {
		is := is.New(t)
		fake, j, _, c := haunt(t, &database{})
		j.goAway(func(call string, r ccm.PartResult) error {
			if r.State == ccm.Sending || call == "resume" {
				return nil
			}
			return errJournal // after the write, and at the end
		})
		r, err := c.SendArrivals(t.Context(), ccm.Query{}, ccm.SendOptions{Key: "k"})
		is.NoErr(err) // it arrived
		is.Equal(r.Parts[0].State, ccm.Delivered)
		is.Equal(len(fake.Messages(chat)), 1)
	})
}

// TestWhatArrivedWasNotStopped: the log of a message that arrived does not say that
// it was, because the journal went away after it.
func TestWhatArrivedWasNotStopped(t *testing.T) {
	is := is.New(t)
	_, cfg := bot(t)
	log, now := new(lines), &clock{now: at(t, "2026-11-24 12:00:00")}
	j := &haunted{Journal: ccm.NewMemoryJournal(now.Now, 100)}
	cfg.Journal, cfg.Logger = j, log.logger()
	c := client(t, cfg, nil)
	j.goAway(func(call string, r ccm.PartResult) error {
		if call == "end" || call == "mark" && r.State == ccm.Delivered {
			return errAway
		}
		return nil
	})
	_, err := c.SendAlert(t.Context(), alert, ccm.SendOptions{})
	is.NoErr(err)
	for _, said := range []string{"no se pudo anotar en el diario", "no se pudo cerrar el envío", "El diario de envíos"} {
		is.True(strings.Contains(log.String(), said))
	}
	is.True(!strings.Contains(log.String(), "El envío se detuvo"))
}
