package telegram_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccmwf/ccm/telegram"
)

const (
	botID  = "123456789"
	secret = "AAsecretosecretosecretosecretosecr0"
	token  = botID + ":" + secret
	group  = "-1001234567890"
)

var target = telegram.Target{Chat: group}

// wire is a transport in memory, for virtual clocks: it answers each request
// with the next of its answers, and the last one over and over.
type wire struct {
	tb      testing.TB
	answers []reply

	mu  sync.Mutex
	got []request
}

// request is what was asked of a wire.
type request struct {
	At        time.Time
	Chat      string `json:"chat_id"`
	Text      string `json:"text"`
	ParseMode string `json:"parse_mode"`
}

// reply answers a request, which counts from 1.
type reply func(r *http.Request, n int) (*http.Response, error)

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	req := request{At: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		w.tb.Errorf("a request without JSON: %v", err)
	}
	w.mu.Lock()
	w.got = append(w.got, req)
	n := len(w.got)
	w.mu.Unlock()
	return w.answers[min(n, len(w.answers))-1](r, n)
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// texts are what was asked to be sent, in order.
func (w *wire) texts() []string {
	var all []string
	for _, r := range w.got {
		all = append(all, r.Text)
	}
	return all
}

func newWire(tb testing.TB, answers ...reply) (*telegram.Bot, *wire) {
	w := &wire{tb: tb, answers: answers}
	return mustBot(tb, telegram.Config{Token: token, HTTP: w.client()}), w
}

func mustBot(tb testing.TB, cfg telegram.Config) *telegram.Bot {
	tb.Helper()
	b, err := telegram.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// traced tells the client's trace how far a request got, as net/http does.
func traced(r *http.Request, written bool) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn("api.telegram.org:443")
	if written {
		trace.WroteHeaders()
	}
}

func says(status int, body string) reply {
	return func(r *http.Request, _ int) (*http.Response, error) {
		traced(r, true)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// accepts is a message whose id is the number of the request.
func accepts(r *http.Request, n int) (*http.Response, error) {
	return says(200, fmt.Sprintf(`{"ok":true,"result":{"message_id":%d}}`, n))(r, n)
}

func refuses(code int, description string) reply {
	return says(code, fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, code, description))
}

func limits(seconds int) reply {
	return says(429, fmt.Sprintf(`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after %d","parameters":{"retry_after":%[1]d}}`, seconds))
}

func migrates(to int64) reply {
	return says(400, fmt.Sprintf(`{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":%d}}`, to))
}

// cannotDial fails before anything is written.
func cannotDial(r *http.Request, _ int) (*http.Response, error) {
	traced(r, false)
	return nil, errors.New("dial tcp: connection refused")
}

// breaks fails after the request was written.
func breaks(r *http.Request, _ int) (*http.Response, error) {
	traced(r, true)
	return nil, io.ErrUnexpectedEOF
}

// hangs never answers.
func hangs(r *http.Request, _ int) (*http.Response, error) {
	traced(r, true)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// asError is the *Error that a caller finds in err.
func asError(tb testing.TB, err error) *telegram.Error {
	tb.Helper()
	e, ok := errors.AsType[*telegram.Error](err)
	if !ok {
		tb.Fatalf("not a *telegram.Error: %v", err)
	}
	return e
}

func part(text string) telegram.Part {
	return telegram.Part{HTML: "<b>" + text + "</b>", Plain: text, UTF16: len(text), Entities: 1}
}

func parts(texts ...string) []telegram.Part {
	var all []telegram.Part
	for _, text := range texts {
		all = append(all, part(text))
	}
	return all
}
