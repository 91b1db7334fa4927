package telegramtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

const keyboard = `{"inline_keyboard":[[{"text":"Sí","callback_data":"si"}]]}`

func TestEdits(t *testing.T) {
	is := is.New(t)
	s := known()
	call(t, s, "sendMessage", "chat_id", "5", "text", "uno", "reply_markup", keyboard)
	edit := func(pairs ...string) reply {
		return call(t, s, "editMessageText", append([]string{"chat_id", "5", "message_id", "1"}, pairs...)...)
	}
	const same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
	is.Equal(edit("text", "uno ", "reply_markup", keyboard).Description, same)
	is.True(edit("text", "<b>uno</b>", "parse_mode", "HTML", "reply_markup", keyboard).message(t).EditDate > 0) // other entities are a change
	is.True(edit("text", "<b>uno</b>", "parse_mode", "HTML").OK)                                                // and so is no keyboard
	m := s.Last(private)
	is.True(m.Edited)
	is.Equal(m.Keyboard, nil)
	is.True(call(t, s, "editMessageReplyMarkup", "chat_id", "5", "message_id", "1", "reply_markup", keyboard).OK)
	is.Equal(s.Last(private).Keyboard[0][0].Data, "si")
	is.Equal(s.Last(private).Text, "uno")
	is.Equal(call(t, s, "editMessageReplyMarkup", "chat_id", "5", "message_id", "1", "reply_markup", keyboard).Description, same)
	for _, c := range []struct{ name, want string }{
		{edit("text", "").Description, "message text is empty"},
		{edit("text", "x", "reply_markup", `{"force_reply":true}`).Description, "inline keyboard expected"},
		{edit("text", "x", "message_id", "99").Description, "message to edit not found"},
		{edit("text", "x", "message_id", "x").Description, "message to edit not found"},
		{edit("text", "x", "message_id", "", "chat_id", "").Description, "message identifier is not specified"},
		{edit("text", strings.Repeat("x", 4097)).Description, "message is too long"},
		{call(t, s, "editMessageCaption", "chat_id", "5", "message_id", "1", "caption", "x").Description, "there is no caption in the message to edit"},
	} {
		is.Equal(c.name, "Bad Request: "+c.want)
	}
}

func TestOfPersonsMessagesNoneCanBeEdited(t *testing.T) {
	is := is.New(t)
	s := known()
	s.Receive(private, ana, "hola")
	s.Receive(group, ana, "hola")
	is.Equal(call(t, s, "editMessageText", "chat_id", "5", "message_id", "1", "text", "x").Description, "Bad Request: message can't be edited")
	is.True(call(t, s, "deleteMessage", "chat_id", "5", "message_id", "1").OK)
	is.Equal(call(t, s, "deleteMessage", "chat_id", "-7", "message_id", "1").Description, "Bad Request: message can't be deleted")
}

func TestDeletes(t *testing.T) {
	is := is.New(t)
	s := known()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	for range 5 {
		send(t, s, "5", "x")
	}
	is.Equal(call(t, s, "deleteMessage", "chat_id", "5", "message_id", "2").text(), "true")
	is.Equal(call(t, s, "deleteMessage", "chat_id", "5", "message_id", "2").Description, "Bad Request: message to delete not found")
	is.Equal(call(t, s, "deleteMessage", "chat_id", "5").Description, "Bad Request: message identifier is not specified")
	is.Equal(call(t, s, "deleteMessage", "message_id", "1").Description, "Bad Request: chat identifier is not specified")
	is.Equal(call(t, s, "deleteMessages", "chat_id", "5", "message_ids", "[1,2,3]").text(), "true") // those that are there
	is.Equal(len(s.Messages(private)), 2)
	is.Equal(call(t, s, "deleteMessages", "chat_id", "5", "message_ids", "[]").Description, "Bad Request: message identifiers are not specified")
	now = now.Add(49 * time.Hour)
	is.Equal(call(t, s, "deleteMessage", "chat_id", "5", "message_id", "4").Description, "Bad Request: message can't be deleted for everyone")
	is.Equal(number(t, s), int64(6)) // numbers are not used twice
}
