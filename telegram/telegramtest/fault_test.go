package telegramtest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// get sends text to the private chat over the network.
func get(t *testing.T, s *telegramtest.Server, text string) (status int, body string, err error) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	// A body, so that net/http does not repeat the request by itself.
	resp, err := client.Post(s.URL+"/bot"+s.Token+"/sendMessage", "application/json", strings.NewReader(`{"chat_id":5,"text":"`+text+`"}`))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

func listening(t *testing.T) *telegramtest.Server {
	t.Helper()
	s := telegramtest.NewServer(t)
	addChats(s)
	return s
}

func TestFaultsAnswerInTelegramsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		fault  telegramtest.Fault
		status int
		want   string
	}{
		"a long rate limit":      {telegramtest.Fault{RetryAfter: 5329}, 429, `"description":"Too Many Requests: retry after 5329"`},
		"a server's error":       {telegramtest.Fault{Status: 500}, 500, `"description":"Internal Server Error"`},
		"an error of its own":    {telegramtest.Fault{Status: 400, Description: "Bad Request: PEER_FLOOD"}, 400, `"description":"Bad Request: PEER_FLOOD"`},
		"a group that moved":     {telegramtest.Fault{MigrateTo: -100}, 400, `"parameters":{"migrate_to_chat_id":-100}`},
		"a proxy's page":         {telegramtest.Fault{Status: 502, Body: "<html>Bad Gateway</html>"}, 502, "<html>Bad Gateway</html>"},
		"half of a JSON":         {telegramtest.Fault{Body: `{"ok":tr`}, 200, `{"ok":tr`},
		"another place":          {telegramtest.Fault{Redirect: "https://x.org/"}, 302, ""},
		"another place for good": {telegramtest.Fault{Redirect: "https://x.org/", Status: 308}, 308, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			s := listening(t)
			s.Script(c.fault)
			status, body, err := get(t, s, "x")
			is.NoErr(err)
			is.Equal(status, c.status)
			is.True(strings.Contains(body, c.want))
			is.Equal(len(s.Messages(private)), 0)
			status, _, err = get(t, s, "y") // only once
			is.NoErr(err)
			is.Equal(status, http.StatusOK)
		})
	}
}

func TestFaultsOfTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		fault    telegramtest.Fault
		accepted int
	}{
		"cut after it was read":              {telegramtest.Fault{Cut: true}, 0},
		"cut after it was done":              {telegramtest.Fault{Cut: true, Accept: true}, 1},
		"cut before it was read":             {telegramtest.Fault{Cut: true, Unread: true}, 0},
		"half of the true answer":            {telegramtest.Fault{Truncate: true}, 1},
		"half of the true answer, by drops":  {telegramtest.Fault{Truncate: true, Slow: time.Nanosecond}, 1},
		"half of an answer that is not true": {telegramtest.Fault{Truncate: true, Status: 502, Body: "<html>Bad Gateway</html>"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			s := listening(t)
			s.Script(c.fault)
			_, body, err := get(t, s, "x")
			is.True(err != nil)
			is.Equal(c.fault.Truncate, len(body) > 0)
			is.Equal(c.fault.Truncate, errors.Is(err, io.ErrUnexpectedEOF))
			is.Equal(len(s.Messages(private)), c.accepted)
			is.Equal(len(s.Calls()), 1)
			is.Equal(s.Calls()[0].Params["text"] == "", c.fault.Unread)
		})
	}
}

func TestASlowAnswerArrivesWhole(t *testing.T) {
	is := is.New(t)
	s := listening(t)
	pauses := 0
	s.After = func(d time.Duration) <-chan time.Time {
		pauses++
		is.Equal(d, time.Minute)
		return time.After(0)
	}
	s.Script(telegramtest.Fault{Slow: time.Minute})
	status, body, err := get(t, s, "x")
	is.NoErr(err)
	is.Equal(status, http.StatusOK)
	is.True(strings.HasSuffix(body, "}"))
	is.Equal(pauses, len(body))
	is.Equal(len(s.Messages(private)), 1)
}

func TestFaultsMeetTheCallsTheyName(t *testing.T) {
	is := is.New(t)
	s := known()
	s.Script(
		telegramtest.Fault{Method: "sendmessage", After: 1, RetryAfter: 7},
		telegramtest.Fault{Chat: "-7", Status: 500, Times: 2},
	)
	code := func(chat string) int { _, answer := send(t, s, chat, "x"); return answer.Code }
	is.Equal([]int{code("5"), code("5"), code("5")}, []int{0, 429, 0})
	is.Equal([]int{code("-7"), code("-1001"), code("-7"), code("-7")}, []int{500, 0, 500, 0})
	is.True(call(t, s, "getMe").OK)
}

func TestAHungCallEndsWithItsClient(t *testing.T) {
	is := is.New(t)
	s := listening(t)
	s.Script(telegramtest.Fault{Hang: true, Accept: true})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/bot"+s.Token+"/sendMessage?chat_id=5&text=x", nil)
	is.NoErr(err)
	done := make(chan error)
	go func() { _, err := http.DefaultClient.Do(r); done <- err }()
	is.Equal(len(s.Wait(t.Context(), private, 1)), 1)
	cancel()
	is.True(errors.Is(<-done, context.Canceled))
}
