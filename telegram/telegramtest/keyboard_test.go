package telegramtest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestInlineKeyboardsAreKeptAndAnsweredBack(t *testing.T) {
	is := is.New(t)
	s := known()
	answer := call(t, s, "sendMessage", "chat_id", "5", "text", "x", "reply_markup",
		`{"inline_keyboard":[[{"text":"Sí","callback_data":"si"},{"text":"Ver","url":"x.org"}],[],[{"text":"App","web_app":{"url":"https://x.org"}},{"text":"","callback_data":"x"}]]}`)
	is.Equal(s.Last(private).Keyboard, [][]telegramtest.Button{
		{{Text: "Sí", Data: "si"}, {Text: "Ver", URL: "http://x.org/"}},
		{{Text: "App", Other: `{"web_app":{"url":"https://x.org"}}`}},
	})
	rows := answer.message(t).Markup.Inline
	is.Equal(len(rows), 2) // empty rows and buttons are left out
	is.Equal(rows[0][0], map[string]any{"text": "Sí", "callback_data": "si"})
	is.Equal(rows[0][1]["url"], "http://x.org/")
	is.Equal(rows[1][0]["web_app"], map[string]any{"url": "https://x.org"})
}

func TestKeyboardsAreRefusedAsByTelegram(t *testing.T) {
	s := known()
	for raw, want := range map[string]string{
		`{`:                                    "can't parse reply keyboard markup JSON object",
		`[]`:                                   "object expected as reply markup",
		`{"inline_keyboard":{}}`:               `field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays`,
		`{"inline_keyboard":[{"text":"x"}]}`:   `field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays`,
		`{"inline_keyboard":[["x"]]}`:          "can't parse inline keyboard button: InlineKeyboardButton must be an Object",
		`{"inline_keyboard":[[{"text":"x"}]]}`: "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
		`{"inline_keyboard":[[{"url":"x"}]]}`:  `can't parse inline keyboard button: Can't find field "text"`,
		`{"inline_keyboard":[[{"text":1}]]}`:   `can't parse inline keyboard button: Field "text" must be of type String`,
		`{"inline_keyboard":[[{"text":"x","url":"localhost"}]]}`:                                 "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL",
		`{"inline_keyboard":[[{"text":"x","callback_data":"` + strings.Repeat("x", 65) + `"}]]}`: "BUTTON_DATA_INVALID",
		`{"keyboard":[1]}`:   `field "keyboard" must be an Array of Arrays`,
		`{"keyboard":[[1]]}`: "can't parse keyboard button: KeyboardButton must be a String or an Object",
	} {
		if got := call(t, s, "sendMessage", "chat_id", "5", "text", "x", "reply_markup", raw).Description; got != "Bad Request: "+want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
	is := is.New(t)
	for _, raw := range []string{`{"keyboard":[["x",{"text":"y"}]]}`, `{"remove_keyboard":true}`, `{"force_reply":true}`} {
		is.True(call(t, s, "sendMessage", "chat_id", "5", "text", "x", "reply_markup", raw).OK)
		is.Equal(s.Last(private).Keyboard, nil)
	}
}

func TestButtonsOverTheLimitsAreLeftOut(t *testing.T) {
	is := is.New(t)
	s := known()
	row := make([]map[string]string, 13)
	for i := range row {
		row[i] = map[string]string{"text": "x", "callback_data": "x"}
	}
	rows := make([][]map[string]string, 30)
	for i := range rows {
		rows[i] = row
	}
	raw, err := json.Marshal(map[string]any{"inline_keyboard": rows})
	is.NoErr(err)
	call(t, s, "sendMessage", "chat_id", "5", "text", "x", "reply_markup", string(raw))
	kept := s.Last(private).Keyboard
	is.Equal(len(kept), 25)
	is.Equal(len(kept[0]), 12)
}
