package telegramtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// bot stands in for the network, and takes deliveries.
type bot func(*http.Request) (*http.Response, error)

func (b bot) RoundTrip(r *http.Request) (*http.Response, error) { return b(r) }

func status(code int, header http.Header) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(""))}, nil
}

func TestAWebhookGetsUpdatesUntilItTakesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		s := known()
		began := time.Now()
		var at []time.Duration
		s.HTTP = &http.Client{Transport: bot(func(r *http.Request) (*http.Response, error) {
			var u struct {
				ID int `json:"update_id"`
			}
			is.NoErr(json.NewDecoder(r.Body).Decode(&u))
			is.Equal(r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), "secreto_1")
			is.Equal(r.Header.Get("Content-Type"), "application/json")
			is.Equal(u.ID == 2, len(at) == 10) // the second only once the first was taken
			at = append(at, time.Since(began))
			switch len(at) {
			case 3:
				return status(503, http.Header{"Retry-After": {"100"}})
			case 5:
				return nil, fmt.Errorf("cut")
			case 6:
				return status(302, http.Header{"Location": {"https://y.org/"}})
			case 10, 11:
				return status(204, nil)
			}
			return status(500, nil)
		})}
		is.Equal(call(t, s, "setWebhook", "url", "https://x.org/gancho", "secret_token", "secreto_1").text(), "true")
		s.Receive(private, ana, "hola")
		s.Receive(private, ana, "adiós")
		<-time.After(10 * time.Minute)
		synctest.Wait()
		var pauses []int
		for i := 1; i < len(at); i++ {
			pauses = append(pauses, int((at[i] - at[i-1]).Seconds()))
		}
		is.Equal(pauses, []int{0, 2, 100, 8, 16, 32, 60, 60, 60, 0}[:len(pauses)])
		is.Equal(len(at), 11)
		is.True(strings.Contains(call(t, s, "getWebhookInfo").text(), `"pending_update_count":0`))
		s.Close()
	})
}

func TestAnUpdateNobodyTakesIsGivenUpAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		s := known()
		s.HTTP = &http.Client{Transport: bot(func(*http.Request) (*http.Response, error) { return status(500, nil) })}
		call(t, s, "setWebhook", "url", "https://x.org/")
		s.Receive(private, ana, "hola")
		<-time.After(time.Hour)
		info := call(t, s, "getWebhookInfo").text()
		for _, want := range []string{`"pending_update_count":1`, `"last_error_message":"Wrong response from the webhook: 500 Internal Server Error"`, `"url":"https://x.org/"`} {
			is.True(strings.Contains(info, want))
		}
		<-time.After(24 * time.Hour)
		is.True(strings.Contains(call(t, s, "getWebhookInfo").text(), `"pending_update_count":0`))
		s.Close()
	})
}

func TestAWebhooksAnswerMayCallAMethod(t *testing.T) {
	is := is.New(t)
	s := known()
	defer s.Close()
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"method":"sendMessage","chat_id":5,"text":"hola, Ana"}`)
	}))
	defer hook.Close()
	call(t, s, "setWebhook", "url", hook.URL) // over the network, with a certificate nobody knows
	s.Receive(private, ana, "hola")
	is.Equal(s.Wait(t.Context(), private, 1)[0].Text, "hola, Ana")
	is.Equal(len(s.WaitCalls(t.Context(), "sendMessage", 1)[0].Header), 0)
}

func TestSetWebhook(t *testing.T) {
	is := is.New(t)
	s := known()
	defer s.Close()
	now := time.Now()
	s.Now = func() time.Time { return now }
	s.LimitRates()
	s.HTTP = &http.Client{Transport: bot(func(*http.Request) (*http.Response, error) { return status(200, nil) })}
	set := func(pairs ...string) string {
		now = now.Add(2 * time.Second)
		answer := call(t, s, "setWebhook", pairs...)
		return answer.text()
	}
	is.Equal(set("url", "ftp://x.org"), "Bad Request: invalid webhook URL specified")
	is.Equal(set("url", "https://x.org", "secret_token", strings.Repeat("x", 257)), "Bad Request: secret token is too long")
	is.Equal(set("url", "https://x.org", "secret_token", "a b"), "Bad Request: secret token contains unallowed characters")
	is.Equal(set("url", "https://x.org"), "true")
	is.Equal(call(t, s, "setWebhook", "url", "https://y.org").Description, "Too Many Requests: retry after 1")
	is.Equal(set("url", "https://x.org"), "true") // is already set
	is.Equal(set("url", "https://y.org", "allowed_updates", `["message"]`), "true")
	is.True(strings.Contains(call(t, s, "getWebhookInfo").text(), `"allowed_updates":["message"]`))
	is.Equal(set("url", ""), "true")
	is.Equal(call(t, s, "deleteWebhook").text(), "true")
	s.Receive(private, ana, "hola")
	is.Equal(call(t, s, "deleteWebhook", "drop_pending_updates", "true").text(), "true")
	is.Equal(updates(t, s), []int{})
}

func TestAServerWithAWebhookCanBeClosedTwice(*testing.T) {
	s := telegramtest.New()
	s.Close()
	s.Close()
}
