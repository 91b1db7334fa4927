package telegram_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/matryer/is"
)

func TestCall(t *testing.T) {
	var path, body string
	b := mustBot(t, telegram.Config{Token: token, BaseURL: serveBody(t, func(r *http.Request, got string) string {
		path, body = r.URL.Path, got
		return `{"ok":true,"result":{"id":7,"username":"ccm_bot"}}`
	})})
	t.Run("decodes the result", func(t *testing.T) {
		is := is.New(t)
		var me struct{ Username string }
		is.NoErr(b.Call(t.Context(), "getMe", nil, &me))
		is.Equal(me.Username, "ccm_bot")
		is.Equal(path, "/bot"+token+"/getMe")
		is.Equal(body, "{}")
	})
	t.Run("sends arguments as they are", func(t *testing.T) {
		is := is.New(t)
		is.NoErr(b.Call(t.Context(), "getChat", map[string]string{"chat_id": "<&>"}, nil))
		is.Equal(strings.TrimSpace(body), `{"chat_id":"<&>"}`)
	})
	t.Run("gives the result raw", func(t *testing.T) {
		is := is.New(t)
		var raw json.RawMessage
		is.NoErr(b.Call(t.Context(), "getMe", nil, &raw))
		is.Equal(string(raw), `{"id":7,"username":"ccm_bot"}`)
	})
	t.Run("says when the result does not fit", func(t *testing.T) {
		is := is.New(t)
		var ok bool
		e := asError(t, b.Call(t.Context(), "getMe", nil, &ok))
		is.Equal(e.Outcome, telegram.Uncertain)
		is.Equal(e.Code, 200)
	})
	t.Run("rejects what cannot be a call", func(t *testing.T) {
		is := is.New(t)
		path = ""
		for _, method := range []string{"", "../getMe", "get me", "getMe?x=1"} {
			is.True(errors.Is(b.Call(t.Context(), method, nil, nil), telegram.ErrInvalid))
		}
		is.True(errors.Is(b.Call(t.Context(), "getMe", func() {}, nil), telegram.ErrInvalid))
		err := b.Call(nil, "getMe", nil, nil) //nolint:staticcheck // nil on purpose
		is.True(errors.Is(err, telegram.ErrInvalid))
		is.True(strings.Contains(err.Error(), "invalid ctx"))
		is.Equal(path, "")
	})
}

func serveBody(tb testing.TB, answer func(r *http.Request, body string) string) string {
	return serve(tb, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, answer(r, string(raw)))
	})
}

func TestSendSaysWhatTheTargetWants(t *testing.T) {
	for name, tt := range map[string]struct {
		to   telegram.Target
		part telegram.Part
		want string
	}{
		"the least": {
			telegram.Target{Chat: "@canal_ccm"}, part("x"),
			`{"chat_id":"@canal_ccm","text":"<b>x</b>","parse_mode":"HTML","link_preview_options":{"is_disabled":true}}`,
		},
		"all": {
			telegram.Target{Chat: "5512345", Thread: 9, Silent: true, Protect: true}, part("x"),
			`{"chat_id":"5512345","message_thread_id":9,"text":"<b>x</b>","parse_mode":"HTML","link_preview_options":{"is_disabled":true},"disable_notification":true,"protect_content":true}`,
		},
		"General is not named": {
			telegram.Target{Chat: group, Thread: 1}, part("x"),
			`{"chat_id":"` + group + `","text":"<b>x</b>","parse_mode":"HTML","link_preview_options":{"is_disabled":true}}`,
		},
		"a part without markup": {
			target, telegram.Part{Plain: "a < b"},
			`{"chat_id":"` + group + `","text":"a < b","link_preview_options":{"is_disabled":true}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var body string
			b := mustBot(t, telegram.Config{Token: token, BaseURL: serveBody(t, func(r *http.Request, got string) string {
				body = got
				return `{"ok":true,"result":{"message_id":7}}`
			})})
			sent, err := b.Send(t.Context(), tt.to, tt.part)
			is.NoErr(err)
			is.Equal(sent.ID, int64(7))
			is.Equal(sent.Chat, tt.to.Chat)
			is.Equal(strings.TrimSpace(body), tt.want)
		})
	}
}

func TestSentSaysWhen(t *testing.T) {
	bubble(t, "by Telegram's clock", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, says(200, `{"ok":true,"result":{"message_id":7,"date":1795442700}}`))
		sent, err := b.Send(t.Context(), target, part("x"))
		is.NoErr(err)
		is.Equal(sent.At, time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC))
	})
	bubble(t, "by ours where it does not", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, accepts)
		sent, err := b.Send(t.Context(), target, part("x"))
		is.NoErr(err)
		is.Equal(sent.At, time.Now().UTC())
	})
}
