package telegramtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// The chats of most tests.
const (
	private    = 5
	group      = -7
	supergroup = -1001
	channel    = -1002
	forum      = -1003
)

var ana = telegramtest.Person{ID: private, Name: "Ana", Username: "ana"}

// known is a server with one chat of each type.
func known() *telegramtest.Server {
	s := telegramtest.New()
	addChats(s)
	return s
}

func addChats(s *telegramtest.Server) {
	s.AddChat(telegramtest.Chat{ID: private, Type: "private", Title: "Ana"})
	s.AddChat(telegramtest.Chat{ID: group, Type: "group", Title: "Grupo"})
	s.AddChat(telegramtest.Chat{ID: supergroup, Type: "supergroup", Title: "Equipo", Username: "equipo"})
	s.AddChat(telegramtest.Chat{ID: channel, Type: "channel", Title: "Avisos"})
	s.AddChat(telegramtest.Chat{ID: forum, Type: "supergroup", Title: "Foro", Topics: []int{9}})
}

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

// text is the description of a refusal, or the result.
func (r reply) text() string {
	if r.OK {
		return string(r.Result)
	}
	return r.Description
}

// sent is what tests look at of a Message.
type sent struct {
	ID       int64                 `json:"message_id"`
	Text     string                `json:"text"`
	Caption  string                `json:"caption"`
	Thread   int                   `json:"message_thread_id"`
	EditDate int64                 `json:"edit_date"`
	Entities []telegramtest.Entity `json:"entities"`
	Reply    struct {
		ID int64 `json:"message_id"`
	} `json:"reply_to_message"`
	Markup struct {
		Inline [][]map[string]any `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

func (r reply) message(t *testing.T) sent {
	t.Helper()
	var m sent
	if !r.OK {
		t.Fatalf("refused: %s", r.Description)
	}
	if err := json.Unmarshal(r.Result, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// do lets the server answer one request, and reads the envelope.
func do(t *testing.T, s *telegramtest.Server, r *http.Request) (int, reply) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var got reply
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	if !got.OK && got.Code != w.Code {
		t.Fatalf("status %d, error_code %d", w.Code, got.Code)
	}
	return w.Code, got
}

func post(t *testing.T, s *telegramtest.Server, path string, form url.Values) (int, reply) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(t, s, r)
}

// call calls a method with pairs of names and values.
func call(t *testing.T, s *telegramtest.Server, method string, pairs ...string) reply {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	_, got := post(t, s, "/bot"+s.Token+"/"+method, form)
	return got
}

func send(t *testing.T, s *telegramtest.Server, chat, html string) (int, reply) {
	t.Helper()
	return post(t, s, "/bot"+s.Token+"/sendMessage", url.Values{"chat_id": {chat}, "text": {html}, "parse_mode": {"HTML"}})
}

// number sends a message and returns its number.
func number(t *testing.T, s *telegramtest.Server) int64 {
	t.Helper()
	_, answer := send(t, s, "5", "x")
	return answer.message(t).ID
}
