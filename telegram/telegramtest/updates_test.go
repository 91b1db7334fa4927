package telegramtest_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// updates asks for updates and returns their ids.
func updates(t *testing.T, s *telegramtest.Server, pairs ...string) []int {
	t.Helper()
	answer := call(t, s, "getUpdates", pairs...)
	if !answer.OK {
		t.Fatal(answer.Description)
	}
	var list []struct {
		ID int `json:"update_id"`
	}
	if err := json.Unmarshal(answer.Result, &list); err != nil {
		t.Fatal(err)
	}
	ids := []int{}
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestGetUpdatesConfirmsByOffset(t *testing.T) {
	is := is.New(t)
	s := known()
	for range 120 {
		s.Receive(private, ana, "hola")
	}
	is.Equal(len(updates(t, s)), 100)
	is.Equal(len(updates(t, s, "limit", "1000")), 100)
	is.Equal(updates(t, s, "limit", "0"), []int{1})
	is.Equal(updates(t, s, "offset", "3", "limit", "2"), []int{3, 4})
	is.Equal(updates(t, s, "limit", "1"), []int{3}) // 1 and 2 are gone
	is.Equal(updates(t, s, "offset", "-2"), []int{119, 120})
	is.Equal(updates(t, s), []int{119, 120})
	is.Equal(updates(t, s, "offset", "121"), []int{})
}

func TestUpdatesOlderThanADayAreGone(t *testing.T) {
	is := is.New(t)
	s := known()
	now := time.Now()
	s.Now = func() time.Time { return now }
	s.Receive(private, ana, "hola")
	now = now.Add(25 * time.Hour)
	s.Receive(private, ana, "hola")
	is.Equal(updates(t, s), []int{2})
}

func TestLongPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		s := known()
		began := time.Now()
		is.Equal(updates(t, s, "timeout", "20"), []int{})
		is.Equal(time.Since(began), 20*time.Second)
		is.Equal(updates(t, s, "timeout", "99"), []int{}) // at most 50
		is.Equal(time.Since(began), 70*time.Second)
		time.AfterFunc(3*time.Second, func() { s.Receive(private, ana, "hola") })
		is.Equal(updates(t, s, "timeout", "20"), []int{1})
		is.Equal(time.Since(began), 73*time.Second)
	})
}

func TestOnlyOnePollerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		s := known()
		poll := func() <-chan string {
			got := make(chan string, 1)
			go func() { got <- call(t, s, "getUpdates", "timeout", "50").text() }()
			synctest.Wait()
			return got
		}
		first, second := poll(), poll()
		is.Equal(<-first, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
		call(t, s, "setWebhook", "url", "https://x.org/")
		is.Equal(<-second, "Conflict: terminated by setWebhook request")
		is.Equal(<-poll(), "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
		call(t, s, "deleteWebhook")
		last := poll()
		s.Close()
		is.Equal(<-last, "[]")
	})
}

func TestAPersonsMessageIsAnUpdateWithEntities(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	m := s.Receive(private, ana, "/start@ccm_bot 🎂 @ana #rama14 https://x.org/a, a/b")
	is.Equal(m.Entities, []telegramtest.Entity{e("bot_command", 0, 14), e("mention", 18, 4), e("hashtag", 23, 7), e("url", 31, 15)})
	got := call(t, s, "getUpdates").text()
	for _, want := range []string{`"update_id":1`, `"message":{`, `"from":{"first_name":"Ana","id":5,"is_bot":false,"username":"ana"}`, `"type":"private"`} {
		is.True(strings.Contains(got, want))
	}
	is.Equal(s.Messages(private), []telegramtest.Message{}) // nothing is of the bot
	_, answer := send(t, s, "5", "hola")                    // the chat is known now
	is.Equal(answer.message(t).ID, int64(2))
}

func TestWhoWritesIsNoStrangerAnyMore(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: private, Type: "private", Title: "Ana", Stranger: true})
	is.True(!call(t, s, "sendMessage", "chat_id", "5", "text", "x").OK)
	s.Receive(private, ana, "/start")
	is.True(call(t, s, "sendMessage", "chat_id", "5", "text", "x").OK)
	s.Receive(-100123, ana, "hola")
	s.Receive(-5, ana, "hola")
	is.True(strings.Contains(call(t, s, "getChat", "chat_id", "-100123").text(), `"supergroup"`))
	is.True(strings.Contains(call(t, s, "getChat", "chat_id", "-5").text(), `"group"`))
}

func TestAChannelsMessageIsAPost(t *testing.T) {
	s := known()
	s.Receive(channel, ana, "aviso")
	got := call(t, s, "getUpdates").text()
	is.New(t).True(strings.Contains(got, `"channel_post":{`) && strings.Contains(got, `"sender_chat":{`))
}

func TestButtons(t *testing.T) {
	is := is.New(t)
	s := known()
	call(t, s, "sendMessage", "chat_id", "5", "text", "¿?", "reply_markup", keyboard)
	query, err := s.Press(private, 1, ana, "Sí")
	is.NoErr(err)
	got := call(t, s, "getUpdates").text()
	for _, want := range []string{`"callback_query":{`, `"data":"si"`, `"id":"` + query + `"`, `"text":"¿?"`, `"inline_keyboard":[[`} {
		is.True(strings.Contains(got, want))
	}
	is.Equal(call(t, s, "answerCallbackQuery", "callback_query_id", query, "text", strings.Repeat("x", 201)).Description, "Bad Request: MESSAGE_TOO_LONG")
	is.Equal(call(t, s, "answerCallbackQuery", "callback_query_id", query, "text", "Hecho").text(), "true")
	is.Equal(call(t, s, "answerCallbackQuery", "callback_query_id", query).Description,
		"Bad Request: query is too old and response timeout expired or query ID is invalid")
	for _, wrong := range []struct {
		chat, message int64
		button        string
	}{{99, 1, "Sí"}, {private, 9, "Sí"}, {private, 1, "No"}} {
		_, err := s.Press(wrong.chat, wrong.message, ana, wrong.button)
		is.True(err != nil)
	}
}

func TestUpdatesThatNobodyAskedForAreNotQueued(t *testing.T) {
	is := is.New(t)
	s := known()
	is.Equal(s.Inject("un_tipo_nuevo", map[string]int{"x": 1}), int64(1))
	is.Equal(s.Inject("chat_member", map[string]int{}), int64(0)) // only if it is named
	is.Equal(updates(t, s, "offset", "2", "allowed_updates", `["chat_member"]`), []int{})
	is.Equal(s.Inject("chat_member", map[string]int{}), int64(2))
	s.Receive(private, ana, "hola")
	is.Equal(updates(t, s), []int{2}) // the list stays in force
	updates(t, s, "allowed_updates", "[]")
	s.Receive(private, ana, "hola")
	is.Equal(updates(t, s), []int{2, 3})
	is.True(strings.Contains(call(t, s, "getUpdates", "offset", strconv.Itoa(3)).text(), `"message"`))
}
