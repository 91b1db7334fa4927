package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// From data to the chat.
func Example() {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: -1001234567890, Type: "supergroup", Title: "Rama 14"})
	server := httptest.NewServer(fake)
	defer server.Close()

	bot, err := telegram.New(telegram.Config{
		Token:   fake.Token,
		BaseURL: server.URL, // without it: api.telegram.org
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts := telegram.Render(telegram.Message{
		Heading: []telegram.Span{{Text: "Próximos ingresos", Bold: true}},
		Groups: []telegram.Group{{
			Title: []telegram.Span{{Text: "Lunes 30 de noviembre"}},
			Lines: [][]telegram.Span{{{Text: "14A: 12 misioneros"}}, {{Text: "14B: 10 misioneros"}}},
		}},
	})
	sent, err := bot.Deliver(context.Background(), telegram.Target{Chat: "-1001234567890"}, parts, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("message", sent[0].ID, "in", sent[0].Chat)
	fmt.Println(fake.Messages(-1001234567890)[0].Text)
	// Output:
	// message 1 in -1001234567890
	// Próximos ingresos
	//
	// Lunes 30 de noviembre
	// 14A: 12 misioneros
	// 14B: 10 misioneros
}

// Nothing in a text is markup, whatever it looks like.
func ExampleRender() {
	parts := telegram.Render(telegram.Message{
		Heading: []telegram.Span{{Text: "Cumpleaños", Bold: true}},
		Groups: []telegram.Group{{
			Lines: [][]telegram.Span{{{Text: "Hermana O'Brien & <Ñúñez>", Bold: true}, {Text: " cumple 20"}}},
		}},
		Footer: []telegram.Span{{Text: "Datos", URL: "https://example.org/?rama=14&dias=90"}},
	})
	fmt.Println(parts[0].HTML)
	// Output:
	// <b>Cumpleaños</b>
	//
	// <b>Hermana O'Brien &amp; &lt;Ñúñez&gt;</b> cumple 20
	//
	// <a href="https://example.org/?rama=14&amp;dias=90">Datos</a>
}

// A long message becomes several. Each says what it is part of, and a group that
// had to be cut says its title again.
func ExampleRender_split() {
	var lines [][]telegram.Span
	for i := range 400 {
		lines = append(lines, []telegram.Span{{Text: fmt.Sprintf("Persona %d", i+1)}})
	}
	parts := telegram.Render(telegram.Message{
		Heading: []telegram.Span{{Text: "Lista"}},
		Groups:  []telegram.Group{{Title: []telegram.Span{{Text: "Enero"}}, Lines: lines}},
	})
	for _, p := range parts {
		all := strings.Split(p.Plain, "\n")
		fmt.Printf("%q … %q\n", all[:4], all[len(all)-1])
	}
	// Output:
	// ["Lista (1/2)" "" "Enero" "Persona 1"] … "Persona 347"
	// ["Lista (2/2)" "" "Enero" "Persona 348"] … "Persona 400"
}

// One attempt, with a part that was made by hand.
func ExampleBot_Send() {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: 5512345, Type: "private", Title: "Ana"})
	server := httptest.NewServer(fake)
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, err := bot.Send(context.Background(), telegram.Target{Chat: "5512345", Silent: true}, telegram.Part{Plain: "Hola, Ana"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("message", sent.ID, "in", sent.Chat, "after", sent.Attempts, "attempt")

	_, err = bot.Send(context.Background(), telegram.Target{Chat: "Ana"}, telegram.Part{Plain: "Hola"})
	fmt.Println(err)
	// Output:
	// message 1 in 5512345 after 1 attempt
	// telegram: invalid Target.Chat: it must be a number such as "-1001234567890", or "@name"
}

// What became of a message that failed, and what to do about it.
func ExampleError() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5329","parameters":{"retry_after":5329}}`)
	}))
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: "123456789:AAFakeTokenForTestsOnly_0123456789abc", BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = bot.Send(context.Background(), telegram.Target{Chat: "@canal"}, telegram.Part{Plain: "Hola"})

	var failed *telegram.Error
	switch {
	case errors.Is(err, telegram.ErrInvalid):
		fmt.Println("our own fault:", err)
	case errors.As(err, &failed):
		switch failed.Outcome {
		case telegram.Refused:
			fmt.Println("mend this first:", failed.Description)
		case telegram.RateLimited:
			fmt.Println("again in", failed.RetryAfter)
		case telegram.NotSent:
			fmt.Println("again soon:", failed.Err)
		case telegram.Uncertain:
			fmt.Println("look at the chat before sending it again")
		}
	}
	fmt.Println(err)
	// Output:
	// again in 1h28m49s
	// telegram: sendMessage: rate limited (429): Too Many Requests: retry after 5329
}

// A Mark keeps a journal: what is begun and never ends is uncertain.
func ExampleBot_Deliver_mark() {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: 5512345, Type: "private", Title: "Ana"})
	fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Status: 502, Body: "<html>Bad Gateway</html>"})
	server := httptest.NewServer(fake)
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	journal := func(part int, s telegram.Sent, err error) error {
		switch {
		case err != nil:
			fmt.Println("part", part, "failed:", err)
		case s.ID == 0:
			fmt.Println("part", part, "begins")
		default:
			fmt.Println("part", part, "is message", s.ID)
		}
		return nil // an error here, before a write, would stop the delivery
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	parts := []telegram.Part{{Plain: "uno"}, {Plain: "dos"}}
	_, err = bot.Deliver(ctx, telegram.Target{Chat: "5512345"}, parts, journal)
	fmt.Println(err)
	// Output:
	// part 0 begins
	// part 0 is message 1
	// part 1 begins
	// part 1 failed: telegram: sendMessage: uncertain (502): the answer is not the Bot API's, or not whole (24 bytes)
	// part 2 of 2: telegram: sendMessage: uncertain (502): the answer is not the Bot API's, or not whole (24 bytes)
}

// Any other method, with the types that it needs.
func ExampleBot_Call() {
	fake := telegramtest.New()
	server := httptest.NewServer(fake)
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	var me struct {
		IsBot bool `json:"is_bot"`
	}
	err = bot.Call(context.Background(), "getMe", nil, &me)
	fmt.Println(me.IsBot, err)
	// Output: true <nil>
}

// A keyboard below a message: what a Target has no field for is an argument.
func ExampleBot_Call_keyboard() {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: 5512345, Type: "private", Title: "Ana"})
	server := httptest.NewServer(fake)
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	type button struct {
		Text string `json:"text"`
		URL  string `json:"url"`
	}
	part := telegram.Render(telegram.Message{Heading: []telegram.Span{{Text: "Ingresos", Bold: true}}})[0]
	var sent struct {
		ID int64 `json:"message_id"`
	}
	err = bot.Call(context.Background(), "sendMessage", map[string]any{
		"chat_id":    "5512345",
		"text":       part.HTML,
		"parse_mode": "HTML",
		"reply_markup": map[string]any{
			"inline_keyboard": [][]button{{{Text: "Ver la lista", URL: "https://example.org/ingresos"}}},
		},
	}, &sent)
	fmt.Println(sent.ID, err)
	fmt.Println(fake.Calls()[0].Params["reply_markup"])
	// Output:
	// 1 <nil>
	// {"inline_keyboard":[[{"text":"Ver la lista","url":"https://example.org/ingresos"}]]}
}

// A document is streamed from where it is read.
func ExampleFile() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, header, err := r.FormFile("document")
		if err != nil {
			fmt.Println(err)
			return
		}
		content, _ := io.ReadAll(document)
		fmt.Printf("%s: %q, %s\n", header.Filename, content, r.FormValue("caption"))
		fmt.Fprint(w, `{"ok":true,"result":{"message_id":7}}`)
	}))
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: "123456789:AAFakeTokenForTestsOnly_0123456789abc", BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = bot.Call(context.Background(), "sendDocument", map[string]any{
		"chat_id":  "-1001234567890",
		"caption":  "Lista de noviembre",
		"document": telegram.File{Name: "lista.csv", Reader: strings.NewReader("14A,12\n14B,10\n")}, // or a file of os.Open
	}, nil)
	fmt.Println(err)
	// Output:
	// lista.csv: "14A,12\n14B,10\n", Lista de noviembre
	// <nil>
}
