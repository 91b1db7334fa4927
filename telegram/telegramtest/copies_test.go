package telegramtest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// What a test does with an answer changes nothing in the server.
func TestWhatIsObservedIsTheCallers(t *testing.T) {
	is := is.New(t)
	s := known()
	call(t, s, "sendMessage", "chat_id", "5", "text", "<b>hola</b>", "parse_mode", "HTML",
		"reply_markup", `{"inline_keyboard":[[{"text":"Sí","callback_data":"1"}]]}`)
	upload := "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.txt\"\r\n\r\nhola\r\n--x--\r\n"
	code, _ := do(t, s, as("multipart/form-data; boundary=x", "/bot"+s.Token+"/sendDocument", upload))
	is.Equal(code, http.StatusOK)

	look := map[string]func() []telegramtest.Message{
		"Messages": func() []telegramtest.Message { return s.Messages(private) },
		"Wait":     func() []telegramtest.Message { return s.Wait(t.Context(), private, 2) },
		"Last":     func() []telegramtest.Message { return []telegramtest.Message{s.Messages(private)[0], s.Last(private)} },
	}
	for range 2 {
		for _, messages := range look {
			got := messages()
			is.Equal(got[0].Entities, []telegramtest.Entity{{Type: "bold", Offset: 0, Length: 4}})
			is.Equal(got[0].Keyboard, [][]telegramtest.Button{{{Text: "Sí", Data: "1"}}})
			is.Equal(got[1].File.Name, "a.txt")
			is.Equal(string(got[1].File.Data), "hola")
			got[0].Entities[0].Type = "italic"
			got[0].Keyboard[0][0].Text = "No"
			got[0].Keyboard[0] = nil
			got[1].File.Data[0] = 'x'
			got[1].File.Name = "b.txt"
		}
		for _, calls := range [][]telegramtest.Call{s.Calls(), s.WaitCalls(t.Context(), "sendmessage", 1)} {
			is.Equal(calls[0].Params["chat_id"], "5")
			is.True(strings.HasPrefix(calls[0].Header.Get("Content-Type"), "application/"))
			calls[0].Params["chat_id"] = "9"
			calls[0].Header.Set("Content-Type", "x/y")
		}
	}
	topics := []int{9}
	s.AddChat(telegramtest.Chat{ID: forum, Type: "supergroup", Title: "Foro", Topics: topics})
	topics[0] = 8
	is.True(call(t, s, "sendMessage", "chat_id", "-1003", "message_thread_id", "9", "text", "x").OK)
}
