package telegramtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// reply is the envelope of an answer.
type reply struct {
	OK          bool            `json:"ok"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Result      json.RawMessage `json:"result"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func post(t *testing.T, s *telegramtest.Server, path string, form url.Values) (int, reply) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.ServeHTTP(w, r)
	var answer reply
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	if !answer.OK && answer.Code != w.Code {
		t.Fatalf("status %d, error_code %d", w.Code, answer.Code)
	}
	return w.Code, answer
}

func send(t *testing.T, s *telegramtest.Server, chat, html string) (int, reply) {
	t.Helper()
	return post(t, s, "/bot"+s.Token+"/sendMessage", url.Values{"chat_id": {chat}, "text": {html}, "parse_mode": {"HTML"}})
}

func TestRoutingAnswersAsTheBotAPI(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	for path, want := range map[string]string{
		"/nada":                        "Not Found",
		"/botsin-forma/getMe":          "Unauthorized: invalid token specified",
		"/bot1:AAAA/getMe":             "Unauthorized",
		"/bot" + s.Token + "/noExiste": "Not Found: method not found",
	} {
		_, answer := post(t, s, path, nil)
		is.Equal(answer.Description, want)
	}
	code, answer := post(t, s, "/bot"+s.Token+"/GETME", nil) // methods in any case
	is.Equal(code, http.StatusOK)
	is.True(answer.OK)
}

func TestArgumentsComeInEveryForm(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: 7, Type: "private", Title: "Ana"})
	target := "/bot" + s.Token + "/sendMessage"
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, target+"?chat_id=7&text=hola", nil),
		asJSON(httptest.NewRequest(http.MethodPost, target, strings.NewReader(`{"chat_id": 7, "text": "hola"}`))),
		asMultipart(httptest.NewRequest(http.MethodPost, target, strings.NewReader(
			"--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhola\r\n--x--\r\n"))),
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		is.Equal(w.Code, http.StatusOK)
	}
	messages := s.Messages(7)
	is.Equal(len(messages), 3)
	is.Equal([]int64{messages[0].ID, messages[1].ID, messages[2].ID}, []int64{1, 2, 3})
}

func asJSON(r *http.Request) *http.Request {
	r.Header.Set("Content-Type", "application/json")
	return r
}

func asMultipart(r *http.Request) *http.Request {
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	return r
}

func TestHTMLErrorsHaveTheServersText(t *testing.T) {
	for html, want := range map[string]string{
		"<b":              "Unclosed start tag at byte offset 0",
		"é<br>":           `Unsupported start tag "br" at byte offset 2`,
		"<b =x>":          `Empty attribute name in the tag "b" at byte offset 0`,
		"a</b>":           "Unexpected end tag at byte offset 1",
		"<b>x</i>":        `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`,
		"<b><i>x</i>":     `Can't find end tag corresponding to start tag "b"`,
		"<span>x</span>":  `Tag "span" must have class "tg-spoiler" at byte offset 0`,
		"O'Brien <3 Ana>": `Unsupported start tag "3" at byte offset 8`,
	} {
		_, _, err := telegramtest.ParseHTML(html)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", html, err, want)
		}
	}
}

func TestHTMLGivesTextAndEntitiesInUTF16Units(t *testing.T) {
	is := is.New(t)
	text, entities, err := telegramtest.ParseHTML(`🎂 <b>Ana <i>&lt;Ñ&#39;&quot;</i></b> &nbsp; <a href="https://x.org/?a=1&amp;b=2">ver</a><pre><code class="language-go">x</code></pre>`)
	is.NoErr(err)
	is.Equal(text, `🎂 Ana <Ñ'" &nbsp; verx`) // &nbsp; is not known, and stays
	is.Equal(entities, []telegramtest.Entity{
		{Type: "bold", Offset: 3, Length: 8},
		{Type: "italic", Offset: 7, Length: 4},
		{Type: "text_link", Offset: 19, Length: 3, URL: "https://x.org/?a=1&b=2"},
		{Type: "pre", Offset: 22, Length: 1, Language: "go"},
	})
}

func TestMessagesAreRefusedAsByTelegram(t *testing.T) {
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: -1, Type: "group", Title: "Viejo", Migrated: -1001})
	s.AddChat(telegramtest.Chat{ID: -2, Type: "group", Title: "Fuera", Kicked: true})
	s.AddChat(telegramtest.Chat{ID: -3, Type: "supergroup", Title: "Mudo", NoRights: true})
	s.AddChat(telegramtest.Chat{ID: 4, Type: "private", Title: "Ana", Blocked: true})
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: "Luis"})
	for _, c := range []struct{ chat, text, want string }{
		{"", "x", "Bad Request: chat_id is empty"},
		{"99", "x", "Bad Request: chat not found"},
		{"-1", "x", "Bad Request: group chat was upgraded to a supergroup chat"},
		{"-2", "x", "Forbidden: bot was kicked from the group chat"},
		{"-3", "x", "Bad Request: not enough rights to send text messages to the chat"},
		{"4", "x", "Forbidden: bot was blocked by the user"},
		{"5", "", "Bad Request: message text is empty"},
		{"5", "<b> \n</b>", "Bad Request: text must be non-empty"},
		{"5", strings.Repeat("x", 4097), "Bad Request: message is too long"},
		{"5", strings.Repeat("x", 32769), "Bad Request: text is too long"},
		{"5", "<b>x", `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`},
	} {
		_, answer := send(t, s, c.chat, c.text)
		if answer.Description != c.want {
			t.Errorf("chat %q: got %q, want %q", c.chat, answer.Description, c.want)
		}
	}
	_, answer := send(t, s, "-1", "x")
	is.New(t).Equal(answer.Parameters.MigrateTo, int64(-1001))
}

func TestStrictCountsUTF16Units(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: "Luis"})
	cakes := strings.Repeat("🎂", 4096)
	code, _ := send(t, s, "5", cakes)
	is.Equal(code, http.StatusOK) // code points are what the server counts
	s.Strict = true
	code, _ = send(t, s, "5", cakes)
	is.Equal(code, http.StatusBadRequest)
}

func TestScriptedFaultsMeetTheCallsTheyName(t *testing.T) {
	is := is.New(t)
	s := telegramtest.NewServer(t)
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: "Luis"})
	s.Script(
		telegramtest.Fault{Method: "sendMessage", After: 1, RetryAfter: 5329},
		telegramtest.Fault{Status: http.StatusBadGateway, Body: "<html>Bad Gateway</html>", Accept: true},
	)
	resp, err := http.Get(s.URL + "/bot" + s.Token + "/sendMessage?chat_id=5&text=uno")
	is.NoErr(err)
	is.Equal(resp.StatusCode, http.StatusBadGateway)
	is.NoErr(resp.Body.Close())
	code, answer := send(t, s, "5", "dos")
	is.Equal(code, http.StatusTooManyRequests)
	is.Equal(answer.Description, "Too Many Requests: retry after 5329")
	is.Equal(answer.Parameters.RetryAfter, 5329)
	is.Equal(len(s.Messages(5)), 1) // the first was accepted, though its answer was lost

	s.Script(telegramtest.Fault{Cut: true, Accept: true}, telegramtest.Fault{Hang: true})
	target := s.URL + "/bot" + s.Token + "/sendMessage?chat_id=5&text=tres"
	_, err = http.Get(target)
	is.True(err != nil) // cut
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	is.NoErr(err)
	done := make(chan error)
	go func() { _, err := http.DefaultClient.Do(r); done <- err }()
	for len(s.Calls()) < 4 {
		select {
		case err := <-done:
			t.Fatalf("the hung call returned: %v", err)
		default:
		}
	}
	cancel()
	is.True(<-done != nil)
	is.Equal(len(s.Messages(5)), 2)
}

func TestRatesFollowTheClock(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	s.AddChat(telegramtest.Chat{ID: -100, Type: "supergroup", Title: "Equipo"})
	s.LimitRates()
	accepted := 0
	for range 120 { // two minutes, one a second
		if code, _ := send(t, s, "-100", "x"); code == http.StatusOK {
			accepted++
		}
		now = now.Add(time.Second)
	}
	is.Equal(accepted, 20+39) // the burst of 20, then 20 a minute
}

func TestWaitReturnsWhenTheMessagesAreThere(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: "Luis"})
	go func() {
		for range 3 {
			send(t, s, "5", "x")
		}
	}()
	is.Equal(len(s.Wait(t.Context(), 5, 3)), 3)
}

func TestPageShowsTheChatsAndNothingMore(t *testing.T) {
	is := is.New(t)
	s := telegramtest.NewServer(t)
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: "<Luis>"})
	send(t, s, "5", `<b>Ana &lt;script&gt;</b> <a href="https://example.org">ver</a>`)
	resp, err := http.Get(s.URL + "/")
	is.NoErr(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	is.NoErr(err)
	html := string(body)
	is.True(strings.Contains(html, `<span class="b">Ana &lt;script&gt;</span>`))
	is.True(strings.Contains(html, `href="https://example.org"`))
	is.True(strings.Contains(html, "&lt;Luis&gt;"))
	is.True(!strings.Contains(html, "<script"))
	is.True(!strings.Contains(html, s.Token))
}

func FuzzParseHTML(f *testing.F) {
	for _, seed := range []string{"<b>a</b>", "&lt;&#128513;", `<a href="x">y`, "<pre><code class=language-go>x</code></pre>", "🎂<i>\r\n</i>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, html string) {
		text, entities, err := telegramtest.ParseHTML(html)
		if err != nil {
			return
		}
		units := len(utf16.Encode([]rune(text)))
		for _, e := range entities {
			if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > units {
				t.Fatalf("entity %+v outside a text of %d units", e, units)
			}
		}
	})
}
