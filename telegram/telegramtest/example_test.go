package telegramtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// In a test, NewServer does what the first three lines do here.
func Example() {
	fake := telegramtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	fake.AddChat(telegramtest.Chat{ID: -1001, Type: "supergroup", Title: "Equipo"})

	resp, err := http.PostForm(server.URL+"/bot"+fake.Token+"/sendMessage", url.Values{
		"chat_id": {"-1001"}, "parse_mode": {"HTML"}, "text": {"Llegan <b>12</b> misioneros"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	m := fake.Last(-1001)
	fmt.Println(m.Text)
	fmt.Println(m.Entities[0].Type, m.Entities[0].Offset, m.Entities[0].Length)
	// Output:
	// Llegan 12 misioneros
	// bold 7 2
}

// Telegram says to wait once; the client waits, and sends again.
func ExampleServer_Script() {
	fake := telegramtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	fake.AddChat(telegramtest.Chat{ID: 7, Type: "private", Title: "Ana"})
	fake.Script(
		telegramtest.Fault{Method: "sendMessage", RetryAfter: 1},
		telegramtest.Fault{Method: "sendMessage", After: 1, Status: 502, Body: "<html>Bad Gateway</html>", Accept: true},
	)

	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"uno", "dos"} {
		sent, err := bot.Deliver(context.Background(), telegram.Target{Chat: "7"}, []telegram.Part{{Plain: text, HTML: text}}, nil)
		var failed *telegram.Error
		if errors.As(err, &failed) {
			fmt.Println(text+":", failed.Outcome)
			continue
		}
		fmt.Println(text+":", sent[0].Attempts, "attempts")
	}
	fmt.Println(len(fake.Messages(7)), "messages arrived")
	// Output:
	// uno: 2 attempts
	// dos: uncertain
	// 2 messages arrived
}

// A bot that answers a button, tested from the outside.
func ExampleServer_Press() {
	fake := telegramtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	defer fake.Close()
	go answerButtons(server.URL + "/bot" + fake.Token + "/")

	ctx, ana := context.Background(), telegramtest.Person{ID: 7, Name: "Ana"}
	fake.Receive(7, ana, "/start")
	question := fake.Wait(ctx, 7, 1)[0]
	yes, no := question.Keyboard[0][0], question.Keyboard[0][1]
	fmt.Println(question.Text, yes.Text, no.Text)

	query, err := fake.Press(7, question.ID, ana, yes.Text)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := fake.WaitCalls(ctx, "answerCallbackQuery", 1)[0]
	fmt.Println(answer.Params["text"], answer.Params["callback_query_id"] == query)
	// Output:
	// ¿Confirmas? Sí No
	// Elegiste si. true
}

// answerButtons is the bot of the example.
func answerButtons(api string) {
	for offset := 0; ; {
		resp, err := http.Get(api + "getUpdates?timeout=20&offset=" + strconv.Itoa(offset))
		if err != nil {
			return
		}
		var got struct {
			Result []struct {
				ID       int                        `json:"update_id"`
				Message  json.RawMessage            `json:"message"`
				Callback *struct{ ID, Data string } `json:"callback_query"`
			} `json:"result"`
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		_ = resp.Body.Close()
		if err != nil || len(got.Result) == 0 {
			return
		}
		for _, u := range got.Result {
			offset = u.ID + 1
			values, method := url.Values{}, "sendMessage"
			if u.Callback != nil {
				method = "answerCallbackQuery"
				values.Set("callback_query_id", u.Callback.ID)
				values.Set("text", "Elegiste "+u.Callback.Data+".")
			} else {
				values.Set("chat_id", "7")
				values.Set("text", "¿Confirmas?")
				values.Set("reply_markup", `{"inline_keyboard":[[{"text":"Sí","callback_data":"si"},{"text":"No","callback_data":"no"}]]}`)
			}
			if resp, err := http.PostForm(api+method, values); err == nil {
				_ = resp.Body.Close()
			}
		}
	}
}
