package telegram_test

import (
	"strings"
	"testing"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
	"github.com/matryer/is"
)

const groupID = -1001234567890

// newFake is a Bot API server that knows the group, and counts lengths as
// strictly as Telegram's documentation can be read.
func newFake(tb testing.TB) (*telegramtest.Server, *telegram.Bot) {
	fake := telegramtest.NewServer(tb)
	fake.Strict = true
	fake.AddChat(telegramtest.Chat{ID: groupID, Type: "supergroup", Title: "Rama 14", Username: "rama14", Topics: []int{9}})
	return fake, mustBot(tb, telegram.Config{Token: fake.Token, BaseURL: fake.URL})
}

func TestAServerAcceptsAllThatRenderMakes(t *testing.T) {
	cake, family := strings.Repeat("🎂", 4096), strings.Repeat("👨‍👩‍👧‍👦 ", 900)
	var many []telegram.Span
	for range 101 {
		many = append(many, telegram.Span{Text: "negrita", Bold: true}, telegram.Span{Text: " y "}, telegram.Span{Text: "nota", Italic: true, URL: "https://ccm.org/?a=1&b=2"})
	}
	for name, m := range map[string]telegram.Message{
		"names with markup": {Heading: bold(`<b>O'Brien & "Ñúñez"</i>`)},
		"4096 cakes":        {Heading: bold("Cumpleaños"), Groups: []telegram.Group{{Lines: [][]telegram.Span{bold(cake)}}}},
		"families":          {Footer: plain(family)},
		"101 bold words":    {Footer: many},
		"a long list":       {Heading: bold("Ingresos"), Groups: []telegram.Group{{Title: bold("Enero"), Lines: lines(600, "  línea %d")}}, Footer: plain("fin")},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			fake, b := newFake(t)
			parts := render(t, m)
			sent, err := b.Deliver(t.Context(), target, parts, nil)
			is.NoErr(err)
			got := fake.Messages(groupID)
			is.Equal(len(got), len(parts))
			for i, p := range parts {
				is.Equal(got[i].ID, sent[i].ID)
				is.Equal(got[i].Text, p.Plain)
				is.Equal(len(got[i].Entities), p.Entities)
				is.Equal(sent[i].Degraded, false)
			}
		})
	}
}

func TestDeliverThroughWhatBreaksOthers(t *testing.T) {
	t.Run("a proxy's 502 after the message was accepted does not double it", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Status: 502, Body: "<html>Bad Gateway</html>", Accept: true})
		_, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.Equal(textsOf(fake.Messages(groupID)), "1 2 3")
	})
	t.Run("a connection cut before the message was accepted loses only that part", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Cut: true})
		sent, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.Equal(textsOf(fake.Messages(groupID)), "1 3")
		is.Equal(sent[1], telegram.Sent{})
	})
	t.Run("a group that migrates in the middle goes on as the supergroup", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		fake.AddChat(telegramtest.Chat{ID: -55, Type: "group", Title: "Rama 14", Migrated: groupID})
		sent, err := b.Deliver(t.Context(), telegram.Target{Chat: "-55"}, parts("1", "2"), nil)
		is.NoErr(err)
		is.Equal(sent[0].Chat, group)
		is.Equal(textsOf(fake.Messages(groupID)), "1 2")
	})
	t.Run("markup that is not Telegram's goes out as plain text", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		sent, err := b.Deliver(t.Context(), target, []telegram.Part{{HTML: "<h1>hola</h1>", Plain: "hola"}}, nil)
		is.NoErr(err)
		is.True(sent[0].Degraded)
		is.Equal(textsOf(fake.Messages(groupID)), "hola")
	})
	t.Run("a topic, a name, silence and protection arrive", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		_, err := b.Send(t.Context(), telegram.Target{Chat: "@rama14", Thread: 9, Silent: true, Protect: true}, part("hola"))
		is.NoErr(err)
		got := fake.Messages(groupID)[0]
		is.Equal(got.Thread, 9)
		is.True(got.Silent && got.Protected)
		_, err = b.Send(t.Context(), telegram.Target{Chat: group, Thread: 1}, part("general"))
		is.NoErr(err)
	})
	t.Run("a chat that is unknown, or has thrown the bot out, is a refusal", func(t *testing.T) {
		is := is.New(t)
		fake, b := newFake(t)
		fake.AddChat(telegramtest.Chat{ID: -77, Type: "group", Title: "Otra", Kicked: true})
		_, err := b.Send(t.Context(), telegram.Target{Chat: "-99"}, part("x"))
		is.Equal(asError(t, err).Code, 400)
		_, err = b.Send(t.Context(), telegram.Target{Chat: "-77"}, part("x"))
		is.Equal(asError(t, err).Code, 403)
		is.Equal(asError(t, err).Outcome, telegram.Refused)
	})
	t.Run("a revoked token is a refusal", func(t *testing.T) {
		is := is.New(t)
		fake, _ := newFake(t)
		b := mustBot(t, telegram.Config{Token: token, BaseURL: fake.URL})
		err := b.Call(t.Context(), "getMe", nil, nil)
		is.Equal(asError(t, err).Code, 401)
		is.Equal(asError(t, err).Outcome, telegram.Refused)
	})
}

func textsOf(messages []telegramtest.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Text)
	}
	return strings.Join(all, " ")
}
