package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/matryer/is"
)

// serve starts a server that answers every request with h, once it was read: a
// server knows that its client has left only then.
func serve(tb testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	tb.Cleanup(s.Close)
	return s.URL
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func envelope(code int, rest string) http.HandlerFunc {
	return answer(code, "application/json", fmt.Sprintf(`{"ok":false,"error_code":%d,"description":"no"%s}`, code, rest))
}

// cut closes the connection after what write leaves on it.
func cut(write string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, write)
		_ = conn.Close()
	}
}

func TestOutcomeOfAnAnswer(t *testing.T) {
	page := "<html>nginx</html>"
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   telegram.Error
	}{
		"400 is a no":                  {envelope(400, ""), telegram.Error{Code: 400, Outcome: telegram.Refused}},
		"401 is a no":                  {envelope(401, ""), telegram.Error{Code: 401, Outcome: telegram.Refused}},
		"403 is a no":                  {envelope(403, ""), telegram.Error{Code: 403, Outcome: telegram.Refused}},
		"404 is a no":                  {envelope(404, ""), telegram.Error{Code: 404, Outcome: telegram.Refused}},
		"409 is a no":                  {envelope(409, ""), telegram.Error{Code: 409, Outcome: telegram.Refused}},
		"a migration is a no":          {envelope(400, `,"parameters":{"migrate_to_chat_id":-100123}`), telegram.Error{Code: 400, Outcome: telegram.Refused, MigratedTo: -100123}},
		"429 says how long":            {envelope(429, `,"parameters":{"retry_after":5329}`), telegram.Error{Code: 429, Outcome: telegram.RateLimited, RetryAfter: 5329 * time.Second}},
		"429 says it in a header":      {retryHeader("7", envelope(429, "")), telegram.Error{Code: 429, Outcome: telegram.RateLimited, RetryAfter: 7 * time.Second}},
		"429 does not say it":          {retryHeader("soon", envelope(429, "")), telegram.Error{Code: 429, Outcome: telegram.RateLimited}},
		"429 beyond any clock":         {envelope(429, `,"parameters":{"retry_after":9223372036854775807}`), telegram.Error{Code: 429, Outcome: telegram.RateLimited, RetryAfter: (1<<31 - 1) * time.Second}},
		"500 of Telegram is uncertain": {envelope(500, ""), telegram.Error{Code: 500, Outcome: telegram.Uncertain}},
		"502 of Telegram is uncertain": {envelope(502, ""), telegram.Error{Code: 502, Outcome: telegram.Uncertain}},
		"502 of a proxy":               {answer(502, "text/html", page), telegram.Error{Code: 502, Outcome: telegram.Uncertain}},
		"413 of a proxy":               {answer(413, "text/html", page), telegram.Error{Code: 413, Outcome: telegram.Uncertain}},
		"429 of a proxy":               {retryHeader("7", answer(429, "text/html", page)), telegram.Error{Code: 429, Outcome: telegram.Uncertain}},
		"302 of a proxy":               {redirect("http://127.0.0.1:1/login"), telegram.Error{Code: 302, Outcome: telegram.Uncertain}},
		"307 of a proxy": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, telegram.Error{Code: 307, Outcome: telegram.Uncertain}},
		"ok within a 500":     {answer(500, "application/json", `{"ok":true,"result":{"message_id":1}}`), telegram.Error{Code: 500, Outcome: telegram.Uncertain}},
		"an empty body":       {answer(200, "application/json", ""), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"half a body":         {answer(200, "application/json", `{"ok":true,"res`), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"a page":              {answer(200, "text/html", page), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"null":                {answer(200, "application/json", `null`), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"a no without a code": {answer(200, "application/json", `{"ok":false}`), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"no message":          {answer(200, "application/json", `{"ok":true,"result":{}}`), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"another result":      {answer(200, "application/json", `{"ok":true,"result":"x"}`), telegram.Error{Code: 200, Outcome: telegram.Uncertain}},
		"a body that breaks":  {cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), telegram.Error{Code: 0, Outcome: telegram.Uncertain}},
		"a 502 that breaks":   {cut("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<"), telegram.Error{Code: 502, Outcome: telegram.Uncertain}},
		"no answer":           {cut(""), telegram.Error{Code: 0, Outcome: telegram.Uncertain}},
		"no HTTP":             {cut("SSH-2.0-OpenSSH_9.2\r\n"), telegram.Error{Code: 0, Outcome: telegram.Uncertain}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var requests atomic.Int32
			b := mustBot(t, telegram.Config{Token: token, BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				tt.answer(w, r)
			})})
			sent, err := b.Send(t.Context(), target, part("hola"))
			e := asError(t, err)
			is.Equal(e.Method, "sendMessage")
			is.Equal(telegram.Error{Code: e.Code, Outcome: e.Outcome, RetryAfter: e.RetryAfter, MigratedTo: e.MigratedTo}, tt.want)
			is.Equal(sent, telegram.Sent{})
			is.Equal(requests.Load(), int32(1)) // nothing repeats it, nothing is followed
		})
	}
}

func retryHeader(value string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", value)
		h(w, r)
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// A keep-alive connection that dies under a request is where net/http repeats a
// GET by itself.
func TestNetHTTPDoesNotRepeatAPost(t *testing.T) {
	is := is.New(t)
	var requests atomic.Int32
	b := mustBot(t, telegram.Config{Token: token, BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.Contains(name, "Idempotency") {
				t.Errorf("header %s makes net/http repeat a POST", name)
			}
		}
		if requests.Add(1) == 1 {
			answer(200, "application/json", `{"ok":true,"result":{"message_id":1}}`)(w, r)
			return
		}
		cut("")(w, r)
	})})
	_, err := b.Send(t.Context(), target, part("1"))
	is.NoErr(err)
	_, err = b.Send(t.Context(), target, part("2"))
	is.Equal(asError(t, err).Outcome, telegram.Uncertain)
	is.Equal(requests.Load(), int32(2))
}

// roundTripper is a transport that is not net/http's.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOutcomeWithoutAnAnswer(t *testing.T) {
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hangInBody := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"ok":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	plainHTTP := strings.TrimPrefix(serve(t, answer(200, "text/plain", "")), "http://")
	const short = 50 * time.Millisecond
	dialing := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	for name, tt := range map[string]struct {
		cfg     telegram.Config
		want    telegram.Outcome
		timeout bool
	}{
		"nobody listens":                 {telegram.Config{BaseURL: "http://127.0.0.1:1"}, telegram.NotSent, false},
		"no such host":                   {telegram.Config{BaseURL: "http://telegram.invalid"}, telegram.NotSent, false},
		"no TLS there":                   {telegram.Config{BaseURL: "https://" + plainHTTP}, telegram.NotSent, false},
		"a dial that hangs":              {telegram.Config{HTTP: dialing, Timeout: short}, telegram.NotSent, true},
		"an answer that hangs":           {telegram.Config{BaseURL: hang, Timeout: short}, telegram.Uncertain, true},
		"a body that hangs":              {telegram.Config{BaseURL: hangInBody, Timeout: short}, telegram.Uncertain, true},
		"a client with its own time-out": {telegram.Config{BaseURL: hang, HTTP: &http.Client{Timeout: short}}, telegram.Uncertain, true},
		"a header that hangs":            {telegram.Config{BaseURL: hang, HTTP: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: short}}}, telegram.Uncertain, true},
		"a transport that tells nothing": {telegram.Config{HTTP: &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })}}, telegram.Uncertain, false},
		"a proxy that cannot be":         {telegram.Config{HTTP: &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, io.EOF }}}}, telegram.NotSent, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			tt.cfg.Token = token
			_, err := mustBot(t, tt.cfg).Send(t.Context(), target, part("hola"))
			e := asError(t, err)
			is.Equal(e.Outcome, tt.want)
			is.Equal(e.Code, 0)
			is.True(e.Err != nil)
			is.Equal(errors.Is(err, context.DeadlineExceeded), tt.timeout)
		})
	}
	t.Run("a caller who has gone already", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := mustBot(t, telegram.Config{Token: token, BaseURL: hang}).Send(ctx, target, part("hola"))
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(errors.Is(err, context.Canceled))
	})
	t.Run("a caller who goes while waiting", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		leave := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		_, err := mustBot(t, telegram.Config{Token: token, BaseURL: leave}).Send(ctx, target, part("hola"))
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.True(errors.Is(err, context.Canceled))
		is.True(!errors.Is(err, context.DeadlineExceeded))
	})
}
