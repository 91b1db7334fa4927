package conformance_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

const (
	private = 5
	group   = -7
	team    = -1001
	forum   = -1003
)

var ana = telegramtest.Person{ID: private, Name: "Ana", Username: "ana"}

// scenarios are run with each client.
var scenarios = map[string]func(t *testing.T, is *is.I, s *telegramtest.Server, c client){
	"sends HTML":                          sendsHTML,
	"sends a keyboard to a topic":         sendsKeyboard,
	"uploads a document":                  uploads,
	"edits and deletes":                   editsAndDeletes,
	"reads refusals":                      readsRefusals,
	"reads a rate limit":                  readsRateLimit,
	"reads a migration":                   readsMigration,
	"polls updates and answers a button":  polls,
	"takes webhooks and answers a button": takesWebhooks,
	"does not poll beside a webhook":      oneOrTheOther,
}

func TestForeignClients(t *testing.T) {
	for name, open := range clients {
		for scenario, run := range scenarios {
			t.Run(name+"/"+scenario, func(t *testing.T) {
				t.Parallel()
				s := telegramtest.NewServer(t)
				s.AddChat(telegramtest.Chat{ID: private, Type: "private", Title: "Ana"})
				s.AddChat(telegramtest.Chat{ID: group, Type: "group", Title: "Grupo"})
				s.AddChat(telegramtest.Chat{ID: team, Type: "supergroup", Title: "Equipo"})
				s.AddChat(telegramtest.Chat{ID: forum, Type: "supergroup", Title: "Foro", Topics: []int{9}})
				run(t, is.New(t), s, open(t, s))
			})
		}
	}
}

func sendsHTML(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	id, err := c.Send(message{Chat: team, HTML: `🎂 <b>O'Brien &amp; Ñúñez</b> <a href="https://example.org/?a=1&amp;b=2">ver</a>`})
	is.NoErr(err)
	m := s.Last(team)
	is.Equal(m.ID, id)
	is.Equal(m.Text, "🎂 O'Brien & Ñúñez ver")
	is.Equal(m.Entities, []telegramtest.Entity{
		{Type: "bold", Offset: 3, Length: 15},
		{Type: "text_link", Offset: 19, Length: 3, URL: "https://example.org/?a=1&b=2"},
	})
}

func sendsKeyboard(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	buttons := [][]telegramtest.Button{{{Text: "Sí", Data: "si"}, {Text: "No", Data: "no"}}, {{Text: "Ver", URL: "https://example.org/"}}}
	_, err := c.Send(message{Chat: forum, Thread: 9, HTML: "¿Llegaron?", Buttons: buttons})
	is.NoErr(err)
	is.Equal(s.Last(forum).Keyboard, buttons)
	is.Equal(s.Last(forum).Thread, 9)
}

func uploads(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	data := []byte(strings.Repeat("a;b\n", 100_000))
	id, err := c.Upload(message{Chat: forum, Thread: 9, HTML: "<b>Informe</b>", Buttons: [][]telegramtest.Button{{{Text: "Sí", Data: "si"}}}}, "informe.csv", data)
	is.NoErr(err)
	m := s.Last(forum)
	is.Equal(m.ID, id)
	is.Equal(m.File.Name, "informe.csv")
	is.Equal(m.File.Size, int64(len(data)))
	is.Equal(string(m.File.Data), string(data))
	is.Equal(m.Text, "Informe")
	is.Equal(m.Entities, []telegramtest.Entity{{Type: "bold", Length: 7}})
	is.Equal(m.Thread, 9)
	is.Equal(m.Keyboard[0][0].Data, "si")
}

func editsAndDeletes(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	id, err := c.Send(message{Chat: team, HTML: "uno"})
	is.NoErr(err)
	is.NoErr(c.Edit(team, id, "<i>dos</i>"))
	m := s.Last(team)
	is.Equal(m.Text, "dos")
	is.True(m.Edited)
	is.NoErr(c.Delete(team, id))
	is.Equal(len(s.Messages(team)), 0)
}

func readsRefusals(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	s.AddChat(telegramtest.Chat{ID: -20, Type: "supergroup", Title: "Fuera", Kicked: true})
	s.AddChat(telegramtest.Chat{ID: 21, Type: "private", Title: "Luis", Blocked: true})
	id, err := c.Send(message{Chat: team, HTML: "igual"})
	is.NoErr(err)
	send := func(chat int64, html string) error {
		_, err := c.Send(message{Chat: chat, HTML: html})
		return err
	}
	for _, r := range []struct {
		err  error
		code int
		text string
	}{
		{send(team, "<b>x"), 400, `can't parse entities: Can't find end tag corresponding to start tag "b"`},
		{send(99, "x"), 400, "chat not found"},
		{send(team, strings.Repeat("x", 4097)), 400, "message is too long"},
		{send(-20, "x"), 403, "bot was kicked from the supergroup chat"},
		{send(21, "x"), 403, "bot was blocked by the user"},
		{c.Edit(team, id, "igual"), 400, "message is not modified"},
		{c.Edit(team, 99, "x"), 400, "message to edit not found"},
		{c.Delete(team, 99), 400, "message to delete not found"},
		{c.Answer("99", "x"), 400, "query is too old and response timeout expired or query ID is invalid"},
	} {
		is.True(r.err != nil)
		p := c.Problem(r.err)
		if p.Code != r.code || !strings.Contains(p.Text, r.text) {
			t.Errorf("got %d %q, want %d %q", p.Code, p.Text, r.code, r.text)
		}
	}
}

func readsRateLimit(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	s.Script(telegramtest.Fault{Method: "sendMessage", RetryAfter: 5329})
	_, err := c.Send(message{Chat: team, HTML: "x"})
	is.True(err != nil)
	is.Equal(c.Problem(err).Code, 429)
	is.Equal(c.Problem(err).RetryAfter, 5329)
	_, err = c.Send(message{Chat: team, HTML: "x"})
	is.NoErr(err)
	is.Equal(len(s.Messages(team)), 1)
}

func readsMigration(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	s.AddChat(telegramtest.Chat{ID: group, Type: "group", Title: "Grupo", Migrated: team})
	_, err := c.Send(message{Chat: group, HTML: "x"})
	is.True(err != nil)
	is.Equal(c.Problem(err).MigrateTo, int64(team))
	_, err = c.Send(message{Chat: c.Problem(err).MigrateTo, HTML: "x"})
	is.NoErr(err)
	is.Equal(len(s.Messages(team)), 1)
}

func polls(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	got := make(chan update, 10)
	s.Receive(private, ana, "/start ahora") // before anybody polls
	c.Poll(t, got)
	t.Cleanup(s.Close) // the poll that waits then, which not every client gives up by itself
	talk(t, is, s, c, got)
}

func takesWebhooks(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	got := make(chan update, 10)
	handler := c.Webhook(t, "secreto_1", got)
	hook := httptest.NewServer(handler)
	t.Cleanup(hook.Close)
	is.NoErr(c.SetWebhook(hook.URL, "secreto_1"))
	s.Receive(private, ana, "/start ahora")
	talk(t, is, s, c, got)
	is.NoErr(c.DeleteWebhook())
}

// talk is a conversation: a command, an update of a kind that no client knows,
// a question, and a button.
func talk(t *testing.T, is *is.I, s *telegramtest.Server, c client, got <-chan update) {
	is.Equal(next(t, got), update{Text: "/start ahora", From: "Ana", Command: true})
	is.True(s.Inject("un_tipo_nuevo", map[string]string{"x": "y"}) > 0)
	s.Receive(team, ana, "¿Llegaron?")
	is.Equal(next(t, got), update{Text: "¿Llegaron?", From: "Ana"})
	id, err := c.Send(message{Chat: team, HTML: "¿Quiénes?", Buttons: [][]telegramtest.Button{{{Text: "Todos", Data: "todos"}}}})
	is.NoErr(err)
	query, err := s.Press(team, id, ana, "Todos")
	is.NoErr(err)
	is.Equal(next(t, got), update{Query: query, Data: "todos", Pressed: id})
	is.NoErr(c.Answer(query, "Gracias"))
	is.Equal(s.WaitCalls(t.Context(), "answerCallbackQuery", 1)[0].Params["text"], "Gracias")
}

func next(t *testing.T, got <-chan update) update {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case u := <-got:
		return u
	case <-ctx.Done():
		t.Fatal("no update came")
		return update{}
	}
}

func oneOrTheOther(t *testing.T, is *is.I, s *telegramtest.Server, c client) {
	is.NoErr(c.SetWebhook("http://127.0.0.1:9/", ""))
	c.Poll(t, make(chan update))
	t.Cleanup(s.Close)
	is.Equal(len(s.WaitCalls(t.Context(), "getUpdates", 1)), 1) // refused: the loops log it and wait
	is.NoErr(c.DeleteWebhook())
	// The text of a refusal is only seen where no loop hides it.
	s.Script(telegramtest.Fault{Method: "sendMessage", Status: 409, Description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"})
	_, err := c.Send(message{Chat: team, HTML: "x"})
	is.True(err != nil)
	is.Equal(c.Problem(err).Code, 409)
}
