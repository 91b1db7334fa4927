package telegramtest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestMessagesAreRefusedAsByTelegram(t *testing.T) {
	s := known()
	for i, c := range []struct {
		chat telegramtest.Chat
		want string
	}{
		{telegramtest.Chat{Type: "group", Migrated: supergroup}, "Bad Request: group chat was upgraded to a supergroup chat"},
		{telegramtest.Chat{Type: "group", Kicked: true}, "Forbidden: bot was kicked from the group chat"},
		{telegramtest.Chat{Type: "supergroup", Kicked: true}, "Forbidden: bot was kicked from the supergroup chat"},
		{telegramtest.Chat{Type: "channel", Kicked: true}, "Forbidden: bot was kicked from the channel chat"},
		{telegramtest.Chat{Type: "group", Left: true}, "Forbidden: bot is not a member of the group chat"},
		{telegramtest.Chat{Type: "supergroup", Left: true}, "Forbidden: bot is not a member of the supergroup chat"},
		{telegramtest.Chat{Type: "channel", Left: true}, "Forbidden: bot is not a member of the channel chat"},
		{telegramtest.Chat{Type: "supergroup", NoRights: true}, "Bad Request: not enough rights to send text messages to the chat"},
		{telegramtest.Chat{Type: "channel", NoRights: true}, "Bad Request: need administrator rights in the channel chat"},
		{telegramtest.Chat{Type: "private", Blocked: true}, "Forbidden: bot was blocked by the user"},
		{telegramtest.Chat{Type: "private", Deactivated: true}, "Forbidden: user is deactivated"},
		{telegramtest.Chat{Type: "private", Stranger: true}, "Forbidden: bot can't initiate conversation with a user"},
	} {
		c.chat.ID = int64(100 + i)
		s.AddChat(c.chat)
		_, answer := send(t, s, strconv.FormatInt(c.chat.ID, 10), "x")
		if answer.Description != c.want {
			t.Errorf("%+v: got %q, want %q", c.chat, answer.Description, c.want)
		}
		if c.chat.Migrated != answer.Parameters.MigrateTo {
			t.Errorf("migrate_to_chat_id is %d", answer.Parameters.MigrateTo)
		}
	}
}

func TestTextsAreRefusedAsByTelegram(t *testing.T) {
	s := known()
	for _, c := range []struct{ chat, text, want string }{
		{"", "x", "Bad Request: chat_id is empty"},
		{"99", "x", "Bad Request: chat not found"},
		{"@nadie", "x", "Bad Request: chat not found"},
		{"5", "", "Bad Request: message text is empty"},
		{"5", "<b> \n</b>", "Bad Request: text must be non-empty"},
		{"5", strings.Repeat("x", 4097), "Bad Request: message is too long"},
		{"5", strings.Repeat("x", 32769), "Bad Request: text is too long"},
		{"5", "<b>x", `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`},
		{"99", "<b>x", `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`}, // before the chat is looked for
		{"99", strings.Repeat("x", 4097), "Bad Request: chat not found"},                                       // but measured after
		{"5", "\xff", "Bad Request: text must be encoded in UTF-8"},
	} {
		if _, answer := send(t, s, c.chat, c.text); answer.Description != c.want {
			t.Errorf("chat %q, %.20q: got %q, want %q", c.chat, c.text, answer.Description, c.want)
		}
	}
	is := is.New(t)
	is.Equal(call(t, s, "sendMessage", "chat_id", "5", "text", "x", "parse_mode", "bbcode").Description, "Bad Request: unsupported parse_mode")
	is.True(call(t, s, "sendMessage", "chat_id", "5", "text", "x", "parse_mode", "none").OK)
	is.Equal(len(s.Messages(private)), 1)
}

func TestWhatIsAllowedInAChatTheBotCannotWriteTo(t *testing.T) {
	is := is.New(t)
	s := known()
	send(t, s, "-7", "x")
	s.AddChat(telegramtest.Chat{ID: group, Type: "group", Title: "Grupo", Migrated: supergroup})
	is.True(call(t, s, "getChat", "chat_id", "-7").OK)
	is.True(call(t, s, "editMessageText", "chat_id", "-7", "message_id", "1", "text", "y").OK)
	is.Equal(call(t, s, "deleteMessage", "chat_id", "-7", "message_id", "1").Parameters.MigrateTo, int64(supergroup))
	s.AddChat(telegramtest.Chat{ID: supergroup, Type: "supergroup", Title: "Equipo", Username: "equipo", Left: true})
	is.True(call(t, s, "getChat", "chat_id", "@equipo").OK) // it is public
	s.AddChat(telegramtest.Chat{ID: supergroup, Type: "supergroup", Title: "Equipo", Left: true})
	is.Equal(call(t, s, "getChat", "chat_id", "-1001").Code, http.StatusForbidden)
}

func TestStrictCountsUTF16Units(t *testing.T) {
	is := is.New(t)
	s := known()
	cakes := strings.Repeat("🎂", 4096)
	code, _ := send(t, s, "5", cakes)
	is.Equal(code, http.StatusOK) // code points are what the server counts
	s.Strict = true
	code, _ = send(t, s, "5", cakes)
	is.Equal(code, http.StatusBadRequest)
}

func TestTopics(t *testing.T) {
	is := is.New(t)
	s := known()
	thread := func(chat, thread string) reply {
		return call(t, s, "sendMessage", "chat_id", chat, "text", "x", "message_thread_id", thread)
	}
	is.Equal(thread("-1003", "9").message(t).Thread, 9)
	is.Equal(s.Last(forum).Thread, 9)
	is.Equal(thread("-1003", "1").Description, "Bad Request: message thread not found") // General is not named
	is.Equal(thread("-1003", "8").Description, "Bad Request: message thread not found")
	is.Equal(thread("-1001", "8").message(t).Thread, 0) // a group without topics takes any
	is.Equal(thread("-1003", "").message(t).Thread, 0)
}

func TestOptionsOfAMessage(t *testing.T) {
	is := is.New(t)
	s := known()
	first := call(t, s, "sendMessage", "chat_id", "5", "text", "uno").message(t)
	answer := call(t, s, "sendMessage", "chat_id", "5", "text", "dos", "disable_notification", "true", "protect_content", "1",
		"link_preview_options", `{"is_disabled":true}`, "reply_parameters", `{"message_id":1}`)
	is.Equal(answer.message(t).Reply.ID, first.ID)
	for _, want := range []string{`"has_protected_content":true`, `"link_preview_options":{"is_disabled":true}`, `"from":{"first_name":"CCM (prueba)"`} {
		is.True(strings.Contains(answer.text(), want))
	}
	m := s.Last(private)
	is.True(m.Silent && m.Protected && m.NoPreview)
	is.Equal(m.ReplyTo, first.ID)
	is.True(strings.Contains(call(t, s, "sendMessage", "chat_id", "-1002", "text", "x").text(), `"sender_chat":{`)) // a channel writes itself
	for name, c := range map[string]struct{ option, value, want string }{
		"a missing message":    {"reply_parameters", `{"message_id":99}`, "Bad Request: message to be replied not found"},
		"reply: no object":     {"reply_parameters", `[]`, "Bad Request: can't parse reply parameters JSON object"},
		"preview: no JSON":     {"link_preview_options", `{`, "Bad Request: can't parse link preview options JSON object"},
		"preview: no object":   {"link_preview_options", `[]`, "Bad Request: object expected as link preview options"},
		"the old way to reply": {"reply_to_message_id", "99", "Bad Request: message to be replied not found"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(call(t, s, "sendMessage", "chat_id", "5", "text", "x", c.option, c.value).Description, c.want)
		})
	}
	optional := call(t, s, "sendMessage", "chat_id", "5", "text", "x", "reply_parameters", `{"message_id":99,"allow_sending_without_reply":true}`)
	is.Equal(optional.message(t).Reply.ID, int64(0))
}
