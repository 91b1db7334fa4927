package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/matryer/is"
)

// prints is everything that a program may show of v.
func prints(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Error("x", "v", v)
	}
	raw, err := json.Marshal(v)
	fmt.Fprintln(&b, string(raw), err)
	return b.String()
}

// checkNoSecret looks for the token in v, and in all errors below it.
func checkNoSecret(tb testing.TB, v any) {
	tb.Helper()
	shown := prints(v)
	for _, form := range []string{token, url.QueryEscape(token), secret, fmt.Sprintf("%x", secret)} {
		if strings.Contains(shown, form) {
			tb.Errorf("%T shows the token: %s", v, shown)
		}
	}
	switch err := v.(type) {
	case interface{ Unwrap() error }:
		if inner := err.Unwrap(); inner != nil {
			checkNoSecret(tb, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range err.Unwrap() {
			checkNoSecret(tb, inner)
		}
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			answer(status, "text/html", "<h1>"+r.URL.Path+" was not found</h1>")(w, r)
		}
	}
	describe := func(w http.ResponseWriter, r *http.Request) {
		answer(400, "application/json", fmt.Sprintf(`{"ok":false,"error_code":400,"description":"Bad Request: %s"}`, r.URL.Path))(w, r)
	}
	tell := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: fmt.Errorf("inner %s and %s", r.URL, url.QueryEscape(r.URL.String()))}
	})
	for name, cfg := range map[string]telegram.Config{
		"dial":        {BaseURL: "http://127.0.0.1:1"},
		"DNS":         {BaseURL: "http://telegram.invalid"},
		"TLS":         {BaseURL: strings.Replace(serve(t, echo(200)), "http:", "https:", 1)},
		"time-out":    {BaseURL: serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Timeout: 20 * time.Millisecond},
		"cut":         {BaseURL: serve(t, cut(""))},
		"HTML":        {BaseURL: serve(t, echo(404))},
		"HTML, 200":   {BaseURL: serve(t, echo(200))},
		"not HTTP":    {BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) { cut(r.URL.Path+"\r\n")(w, r) })},
		"JSON":        {BaseURL: serve(t, answer(200, "application/json", `{"ok":true,"result":`))},
		"description": {BaseURL: serve(t, describe)},
		"redirect": {BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.invalid"+r.URL.Path, http.StatusFound)
		})},
		"bad redirect": {BaseURL: serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://%zz"+r.URL.Path)
			w.WriteHeader(302)
		})},
		"transport": {HTTP: &http.Client{Transport: tell}},
		"proxy":     {HTTP: &http.Client{Transport: &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { return nil, errors.New("no proxy for " + r.URL.String()) }}}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			cfg.Token = token
			checkNoSecret(t, cfg)
			checkNoSecret(t, &cfg)
			checkNoSecret(t, struct{ Telegram telegram.Config }{cfg})
			b := mustBot(t, cfg)
			checkNoSecret(t, b)
			checkNoSecret(t, *b)
			_, err := b.Send(t.Context(), target, part("hola"))
			is.True(err != nil)
			checkNoSecret(t, err)
			checkNoSecret(t, *asError(t, err))
			var leak *url.Error
			is.True(!errors.As(err, &leak)) // its URL holds the token
			err = b.Call(t.Context(), "getMe", nil, nil)
			is.True(err != nil)
			checkNoSecret(t, err)
			err = b.Call(t.Context(), "sendDocument", map[string]any{"document": telegram.File{Reader: strings.NewReader("x")}}, nil)
			is.True(err != nil)
			checkNoSecret(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // too short to repeat anything
			defer cancel()
			_, err = b.Deliver(ctx, target, parts("1"), nil)
			is.True(err != nil)
			checkNoSecret(t, err)
		})
	}
}

// net/http puts the URL around each error. Without the token it still shows the
// bot's id, and where a server of one's own is.
func TestErrorsShowNoURL(t *testing.T) {
	is := is.New(t)
	broken := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	b := mustBot(t, telegram.Config{Token: token, BaseURL: "https://bots.ccm.org", HTTP: &http.Client{Transport: broken}})
	_, err := b.Send(t.Context(), target, part("hola"))
	is.Equal(err.Error(), "telegram: sendMessage: uncertain: unexpected EOF")
	is.True(errors.Is(err, io.ErrUnexpectedEOF))
}

func TestTokenIsNotInWhatIsExported(t *testing.T) {
	b, _ := newWire(t, accepts)
	sent, err := b.Send(t.Context(), target, part("hola"))
	is.New(t).NoErr(err)
	for _, v := range []any{
		b, *b, []*telegram.Bot{b}, map[string]any{"bot": b}, sent, target, part("hola"), parts("1", "2"), telegram.Message{}, telegram.Uncertain, telegram.NewGate(),
		telegram.File{Name: "a", Reader: strings.NewReader("x")}, telegram.Config{Token: token}, []telegram.Config{{Token: " " + token + "\n"}},
	} {
		checkNoSecret(t, v)
	}
}

func TestTokenIsNotInAPanic(t *testing.T) {
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(400, "application/json", fmt.Sprintf(`{"ok":false,"error_code":400,"description":%q}`, r.URL.Path))(w, r)
	})
	for name, mark := range map[string]telegram.Mark{
		"before the write": func(int, telegram.Sent, error) error { panic("disk full") },
		"of its error": func(_ int, _ telegram.Sent, err error) error {
			if err != nil {
				panic(err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b := mustBot(t, telegram.Config{Token: token, BaseURL: echo})
			defer func() {
				value := recover()
				is.True(value != nil)
				checkNoSecret(t, value)
				checkNoSecret(t, string(debug.Stack()))
			}()
			_, _ = b.Deliver(t.Context(), target, parts("1"), mark)
		})
	}
}

func TestAProxysPasswordIsNotShown(t *testing.T) {
	// net/http reads the environment once, so that this needs a process of its own.
	if os.Getenv("HTTPS_PROXY") == "" {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAProxysPasswordIsNotShown$")
		again.Env = append(os.Environ(), "HTTPS_PROXY=http://u:"+secret+"@127.0.0.1:1")
		out, err := again.CombinedOutput()
		is.New(t).NoErr(err)
		is.New(t).True(!strings.Contains(string(out), secret))
		return
	}
	_, err := mustBot(t, telegram.Config{Token: token}).Send(t.Context(), target, part("hola"))
	is.New(t).Equal(asError(t, err).Outcome, telegram.NotSent)
	is.New(t).True(strings.Contains(err.Error(), "proxyconnect")) // it was used
	checkNoSecret(t, err)
}

func TestNewRejects(t *testing.T) {
	file := func(content string) string { return writeToken(t, content) }
	for name, tt := range map[string]struct {
		cfg  telegram.Config
		want string
	}{
		"no token":                   {telegram.Config{}, "Config.Token: it is empty"},
		"a blank token":              {telegram.Config{Token: " \n"}, "Config.Token: it is empty"},
		"a newline within the token": {telegram.Config{Token: botID + ":\n" + secret}, "Config.Token: it does not look like a token"},
		"a token that was cut":       {telegram.Config{Token: token[:20]}, "Config.Token: it does not look like a token"},
		"a token with its URL":       {telegram.Config{Token: "https://api.telegram.org/bot" + token}, "Config.Token: it does not look like a token"},
		"a token and a file":         {telegram.Config{Token: token, TokenFile: "x"}, "Config.TokenFile: Config.Token is set too"},
		"a file that is missing":     {telegram.Config{TokenFile: filepath.Join(t.TempDir(), "none")}, "none cannot be read: no such file"},
		"a file that is a folder":    {telegram.Config{TokenFile: t.TempDir()}, "cannot be read: is a directory"},
		"a file that is empty":       {telegram.Config{TokenFile: file("\n")}, "Config.TokenFile: it is empty"},
		"a file of something else":   {telegram.Config{TokenFile: file("TOKEN=" + token)}, "Config.TokenFile: it does not look like a token"},
		"a URL without scheme":       {telegram.Config{Token: token, BaseURL: "api.telegram.org"}, "Config.BaseURL: it must begin with https://"},
		"a URL of another scheme":    {telegram.Config{Token: token, BaseURL: "ftp://api.telegram.org"}, "Config.BaseURL: it must begin with https://"},
		"a URL without host":         {telegram.Config{Token: token, BaseURL: "https://"}, "Config.BaseURL: it names no host"},
		"a URL with a password":      {telegram.Config{Token: token, BaseURL: "https://u:" + secret + "@h"}, "Config.BaseURL: it may have a path, but no user"},
		"a URL with a query":         {telegram.Config{Token: token, BaseURL: "https://h?x=" + secret}, "Config.BaseURL: it may have a path, but no user"},
		"no URL":                     {telegram.Config{Token: token, BaseURL: "https://h/%zz" + secret}, "Config.BaseURL: it is not a URL"},
		"a negative time-out":        {telegram.Config{Token: token, Timeout: -time.Second}, "Config.Timeout: -1s is negative"},
		"all faults at once":         {telegram.Config{Timeout: -1, BaseURL: "x"}, "Config.Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, err := telegram.New(tt.cfg)
			is.True(b == nil)
			is.True(errors.Is(err, telegram.ErrInvalid))
			is.True(strings.Contains(err.Error(), tt.want))
			checkNoSecret(t, err)
		})
	}
	t.Run("with all faults joined", func(t *testing.T) {
		is := is.New(t)
		_, err := telegram.New(telegram.Config{Timeout: -1, BaseURL: "x"})
		for _, field := range []string{"Config.Token:", "Config.BaseURL:", "Config.Timeout:"} {
			is.True(strings.Contains(err.Error(), field))
		}
	})
}

func writeToken(tb testing.TB, content string) string {
	name := filepath.Join(tb.TempDir(), "token")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

func TestTokenFile(t *testing.T) {
	var asked []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	})
	t.Run("is trimmed, and read again once it changes", func(t *testing.T) {
		is := is.New(t)
		asked = nil
		file := writeToken(t, token+"\r\n")
		b := mustBot(t, telegram.Config{TokenFile: file, BaseURL: base + "/path/"})
		is.NoErr(b.Call(t.Context(), "getMe", nil, nil))
		rotated := "987654321:" + strings.Repeat("Z", 35)
		is.NoErr(os.WriteFile(file, []byte(rotated), 0o600))
		is.NoErr(b.Call(t.Context(), "getMe", nil, nil))
		is.Equal(asked, []string{"/path/bot" + token + "/getMe", "/path/bot" + rotated + "/getMe"})
	})
	t.Run("that becomes unreadable sends nothing, and says so", func(t *testing.T) {
		is := is.New(t)
		asked = nil
		file := writeToken(t, token)
		b := mustBot(t, telegram.Config{TokenFile: file, BaseURL: base})
		is.NoErr(os.Remove(file))
		_, err := b.Send(t.Context(), target, part("1"))
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(strings.Contains(err.Error(), "Config.TokenFile"))
		is.True(errors.Is(err, telegram.ErrInvalid))
		is.Equal(asked, nil)
	})
}
