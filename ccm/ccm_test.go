package ccm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// chat is the group of the fake that messages go to.
const chat = -1001234567890

// database plays the database: each field answers one question.
type database struct {
	mu        sync.Mutex
	err       error // of every question
	arrivals  []ccm.Arrival
	birthdays []ccm.Birthday
	summaries []ccm.BranchSummary
	kpis      []ccm.KPI
	windows   []store.Window // of each question, in order
	status    []string
}

func (d *database) ask(w store.Window) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.windows = append(d.windows, w)
	return d.err
}

func (d *database) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *database) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.windows)
}

func (d *database) Arrivals(_ context.Context, w store.Window) ([]ccm.Arrival, error) {
	return d.arrivals, d.ask(w)
}

func (d *database) Birthdays(_ context.Context, w store.Window, status ...string) ([]ccm.Birthday, error) {
	d.status = status
	return d.birthdays, d.ask(w)
}

func (d *database) BranchSummaries(_ context.Context, branch int) ([]ccm.BranchSummary, error) {
	return d.summaries, d.ask(store.Window{Branch: branch})
}

func (d *database) KPIs(_ context.Context, branch int, on ccm.Date) ([]ccm.KPI, error) {
	return d.kpis, d.ask(store.Window{Branch: branch, From: on})
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *clock) add(d time.Duration) { c.set(c.Now().Add(d)) }

// at is a time of day at the centre.
func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	zone, err := time.LoadLocation("America/Mexico_City")
	is.New(tb).NoErr(err)
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	is.New(tb).NoErr(err)
	return t
}

func day(tb testing.TB, text string) ccm.Date {
	tb.Helper()
	d, err := store.ParseDate(text)
	is.New(tb).NoErr(err)
	return d
}

// client opens a Client whose database is db, at noon of 24 November 2026 at
// the centre unless cfg has a clock.
func client(tb testing.TB, cfg ccm.Config, db *database) *ccm.Client {
	tb.Helper()
	if cfg.Now == nil {
		cfg.Now = (&clock{now: at(tb, "2026-11-24 12:00:00")}).Now
	}
	c, err := ccm.Open(cfg)
	is.New(tb).NoErr(err)
	tb.Cleanup(func() { is.New(tb).NoErr(c.Close()) })
	if db != nil {
		c.SetSource(db)
	}
	return c
}

// bot starts a fake Telegram with one group, and says how to reach it.
func bot(tb testing.TB) (*telegramtest.Server, ccm.Config) {
	tb.Helper()
	fake := telegramtest.NewServer(tb)
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	return fake, ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: fake.URL, Gate: open{}},
		Chat:     telegram.Target{Chat: "-1001234567890"},
		Branch:   14,
	}
}

// open is a Gate that holds nobody back.
type open struct{}

func (open) Wait(context.Context, string) error            { return nil }
func (open) Hold(context.Context, string, time.Time) error { return nil }

// lines is a log that a test reads.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// messageOf is what a person is shown of an error.
func messageOf(err error) string {
	if known, ok := errors.AsType[*ccm.Error](err); ok {
		return known.Message
	}
	return ""
}

// wants fails unless err has the code, and its message all the words.
func wants(tb testing.TB, err error, code ccm.Code, words ...string) {
	tb.Helper()
	if ccm.CodeOf(err) != code {
		tb.Fatalf("code %q, want %q (%v)", ccm.CodeOf(err), code, err)
	}
	for _, word := range words {
		if !strings.Contains(messageOf(err), word) {
			tb.Errorf("%q does not say %q", messageOf(err), word)
		}
	}
}

func arrival(tb testing.TB, district, on string, people int) ccm.Arrival {
	return ccm.Arrival{Branch: 14, District: district, RDistrict: "14" + district, Arrival: day(tb, on), Missionaries: people, Weeks: 3, Status: "Virtual"}
}

func birthday(tb testing.TB, id int, on string) ccm.Birthday {
	return ccm.Birthday{ID: id, Branch: 14, District: "A", Treatment: "Elder", Name: "Persona Secreta", Birthday: day(tb, on), Turning: 20,
		Status: "CCM", EmailMission: "secreta@example.org"}
}
