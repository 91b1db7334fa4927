package httpapi_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

const (
	chat     = -1001234567890
	chatText = "-1001234567890"
	arrivals = "/telegram/proximos-ingresos"
	birthday = "/telegram/proximos-cumpleanos"
	alert    = "/telegram/alerta"
	someKey  = "0123456789abcdef"
)

// open is a client that ends with the test.
func open(t testing.TB, cfg ccm.Config) *ccm.Client {
	t.Helper()
	c, err := ccm.Open(cfg)
	is.New(t).NoErr(err)
	t.Cleanup(func() { c.Close() })
	return c
}

// api is the API of a client without database.
func api(t testing.TB, cfg httpapi.Config) *httpapi.Handler {
	t.Helper()
	return httpapi.New(open(t, ccm.Config{}), cfg)
}

// withTelegram is the API of a client that has a fake Telegram, and the fake.
func withTelegram(t testing.TB, cfg httpapi.Config) (*httpapi.Handler, *telegramtest.Server) {
	t.Helper()
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	return httpapi.New(open(t, telegramConfig(fake)), cfg), fake
}

// telegramConfig leads to a fake Telegram.
func telegramConfig(fake *telegramtest.Server) ccm.Config {
	return ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: fake.URL},
		Chat:     telegram.Target{Chat: chatText},
	}
}

// reply is what came back.
type reply struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// call sends one request; headers are "Name: value". A body is JSON unless a
// header says otherwise.
func call(t testing.TB, h http.Handler, method, path, body string, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return reply{w, t}
}

// object is the JSON body.
func (r reply) object() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil {
		r.t.Fatalf("%v in %q", err, r.Body)
	}
	return v
}

// problem checks that the answer is one, and is its body.
func (r reply) problem() map[string]any {
	r.t.Helper()
	if kind := r.Header().Get("Content-Type"); kind != "application/problem+json" {
		r.t.Fatalf("%d %s is no problem: %s", r.Code, kind, r.Body)
	}
	p := r.object()
	if p["status"] != float64(r.Code) || p["title"] == "" || p["detail"] == "" || p["message_id"] != r.Header().Get("X-Request-ID") {
		r.t.Fatalf("an incomplete problem: %s", r.Body)
	}
	return p
}

// locations are where a 422 found faults.
func (r reply) locations() []string {
	var all []string
	for _, f := range r.problem()["errors"].([]any) {
		all = append(all, f.(map[string]any)["location"].(string))
	}
	return all
}

// journal gathers log lines.
type journal struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: level}))
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// lines are the lines with a message.
func (j *journal) lines(t testing.TB, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(j.String()) {
		var v map[string]any
		is.New(t).NoErr(json.Unmarshal([]byte(line), &v))
		if v["msg"] == message {
			found = append(found, v)
		}
	}
	return found
}
