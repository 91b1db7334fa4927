package telegramtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestRoutingAnswersAsTheBotAPI(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	for path, want := range map[string]string{
		"/nada":                        "Not Found",
		"/bot" + s.Token:               "Not Found",
		"/botsin-forma/getMe":          "Unauthorized: invalid token specified",
		"/bot0123:AAAA/getMe":          "Unauthorized: invalid token specified",
		"/bot1:AAAA/getMe":             "Unauthorized",
		"/file/bot1:AAAA/x":            "Unauthorized",
		"/file/bot" + s.Token + "/x":   "Not Found",
		"/bot" + s.Token + "/noExiste": "Not Found: method not found",
	} {
		_, answer := post(t, s, path, nil)
		if answer.Description != want {
			t.Errorf("%s: got %q, want %q", path, answer.Description, want)
		}
	}
	code, answer := post(t, s, "/bot"+s.Token+"/GETME", nil) // methods in any case
	is.Equal(code, http.StatusOK)
	is.True(answer.OK)
}

func TestTheBotsIDIsThatOfItsToken(t *testing.T) {
	s := telegramtest.New()
	s.Token = "42:AAAA"
	is.New(t).True(strings.Contains(call(t, s, "getMe").text(), `"id":42`))
}

func TestArgumentsComeInEveryForm(t *testing.T) {
	is := is.New(t)
	s := known()
	target := "/bot" + s.Token + "/sendMessage"
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, target+"?chat_id=5&text=hola", nil),
		as("application/json", target, `{"chat_id": 5, "text": "hola", "reply_markup": null}`),
		as("application/x-www-form-urlencoded", target+"?chat_id=5", "text=hola"),
		as("application/json", "/bot"+s.Token+"/", `{"method": "sendMessage", "chat_id": 5, "text": "hola"}`),
		as("multipart/form-data; boundary=x", target,
			"--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhola\r\n--x--\r\n"),
	} {
		code, _ := do(t, s, r)
		is.Equal(code, http.StatusOK)
	}
	messages := s.Messages(private)
	is.Equal(len(messages), 5)
	is.Equal([]int64{messages[0].ID, messages[1].ID, messages[2].ID}, []int64{1, 2, 3})
}

func as(contentType, target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestRequestsThatCannotBeReadAreRefused(t *testing.T) {
	s := known()
	target := "/bot" + s.Token + "/sendMessage"
	for name, c := range map[string]struct {
		contentType, body, want string
	}{
		"no object":           {"application/json", `[1]`, "Bad Request: JSON object expected"},
		"half of an object":   {"application/json", `{"chat_id":`, "Bad Request: JSON object expected"},
		"no UTF-8":            {"application/json", "{\"chat_id\":5,\"text\":\"\xff\"}", "Bad Request: strings must be encoded in UTF-8"},
		"half of a multipart": {"multipart/form-data; boundary=x", "--x\r\nContent-Disp", "Bad Request: can't read the request"},
		"over 50 MB":          {"text/plain", strings.Repeat("x", 56<<20), "Request Entity Too Large"},
	} {
		t.Run(name, func(t *testing.T) {
			_, answer := do(t, s, as(c.contentType, target, c.body))
			is.New(t).Equal(answer.Description, c.want)
		})
	}
}

func TestMembersAndChats(t *testing.T) {
	s := known()
	s.Receive(group, ana, "hola")
	for _, c := range []struct{ method, chat, user, want string }{
		{"getChat", "-1001", "", `"title":"Equipo"`},
		{"getChat", "@equipo", "", `"id":-1001`},
		{"getChat", "-99", "", "Bad Request: chat not found"},
		{"getChatMember", "-7", "5", `"status":"member"`},
		{"getChatMember", "-7", "123456789", `"is_bot":true`},
		{"getChatMember", "-7", "77", "Bad Request: user not found"},
		{"getChatMember", "-7", "", "Bad Request: invalid user_id specified"},
		{"leaveChat", "5", "", "Bad Request: chat member status can't be changed in private chats"},
		{"leaveChat", "-7", "", "true"},
		{"getChatMember", "-7", "123456789", `"status":"left"`},
		{"sendMessage", "-7", "", "Forbidden: bot is not a member of the group chat"},
	} {
		got := call(t, s, c.method, "chat_id", c.chat, "user_id", c.user, "text", "x").text()
		if !strings.Contains(got, c.want) {
			t.Errorf("%s of %s %s: got %s, want %s", c.method, c.chat, c.user, got, c.want)
		}
	}
	is := is.New(t)
	is.Equal(call(t, s, "sendChatAction", "chat_id", "5", "action", "typing").text(), "true")
	is.Equal(call(t, s, "sendChatAction", "chat_id", "5", "action", "dance").text(), "Bad Request: wrong parameter action in request")
}
