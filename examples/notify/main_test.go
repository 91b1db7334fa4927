package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestItSendsToTheChatOfTheEnvironment(t *testing.T) {
	is := is.New(t)
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: -100, Type: "supergroup", Title: "Equipo"})
	env := map[string]string{"TELEGRAM_BOT_TOKEN": fake.Token, "TELEGRAM_API_URL": fake.URL, "TELEGRAM_CHAT_ID": "-100"}
	is.NoErr(run(t.Context(), []string{"a", "<b>"}, func(k string) string { return env[k] }, new(strings.Builder)))
	is.True(strings.HasSuffix(fake.Messages(-100)[0].Text, "a <b>"))
}

func TestWithoutATokenItUsesTheFake(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), nil, func(string) string { return "" }, &out))
	is.True(strings.Contains(out.String(), "<ccm> & todo está bien"))
}
