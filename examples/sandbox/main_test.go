package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/examples/internal/embedded"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestItLoadsThePeopleOnceMore(t *testing.T) {
	is := is.New(t)
	db, err := embedded.Start(t.Context())
	is.NoErr(err)
	defer db.Close()
	is.NoErr(load(t.Context(), db.URL(), time.UTC))
	is.NoErr(load(t.Context(), db.URL(), time.UTC)) // as at each start
	s, err := store.Open(store.Config{URL: db.URL()})
	is.NoErr(err)
	defer s.Close()
	people, err := s.Birthdays(t.Context(), store.Window{Branch: 14, From: store.DateOf(time.Now()), Days: 60})
	is.NoErr(err)
	is.True(len(people) > 10)
}

func TestItShowsMessagesAndFails(t *testing.T) {
	is := is.New(t)
	server := httptest.NewServer(handler(time.UTC))
	defer server.Close()
	bot, err := telegram.New(telegram.Config{Token: telegramtest.New().Token, BaseURL: server.URL})
	is.NoErr(err)
	to := telegram.Target{Chat: "-1001234567890"}
	part := telegram.Render(telegram.Message{Heading: []telegram.Span{{Text: "Hola"}}})[0]
	_, err = bot.Send(t.Context(), to, part)
	is.NoErr(err)

	resp, err := http.Get(server.URL + "/sandbox/messages")
	is.NoErr(err)
	defer resp.Body.Close()
	var got []telegramtest.Message
	is.NoErr(json.NewDecoder(resp.Body).Decode(&got))
	is.Equal(len(got), 1)
	is.Equal(got[0].Text, "Hola")

	resp, err = http.Post(server.URL+"/sandbox/faults", "application/json", strings.NewReader(`{"Method": "sendMessage", "Status": 502}`))
	is.NoErr(err)
	resp.Body.Close()
	is.Equal(resp.StatusCode, http.StatusNoContent)
	_, err = bot.Send(t.Context(), to, part)
	is.True(err != nil) // the scripted 502
	resp, err = http.Post(server.URL+"/sandbox/faults", "application/json", strings.NewReader(`{"Estado": 502}`))
	is.NoErr(err)
	resp.Body.Close()
	is.Equal(resp.StatusCode, http.StatusUnprocessableEntity)
}

func TestItRefusesToStartBesideRealSettings(t *testing.T) {
	for _, entry := range []string{"DATABASE_URL=mysql://a", "db_host=a", "Telegram_Bot_Token_File=/a"} {
		is := is.New(t)
		err := run(t.Context(), nil, []string{"RAMA_ACTUAL=14", entry}, new(strings.Builder))
		name, _, _ := strings.Cut(strings.ToUpper(entry), "=")
		is.True(strings.Contains(err.Error(), "hay ajustes reales en .env ("+name+")"))
	}
}

func TestItWritesSettingsThatCCMUnderstands(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), ".env")
	is.NoErr(run(t.Context(), []string{"-once", "-settings", path}, []string{"SANDBOX_URL=http://telegram:8081"}, new(strings.Builder)))
	written, err := os.ReadFile(path)
	is.NoErr(err)
	env := environment(strings.Split(string(written), "\n"))
	cfg, err := ccm.ParseEnv(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	is.NoErr(err)
	is.Equal(cfg.Chat.Chat, "-1001234567890")
	is.Equal(cfg.Telegram.BaseURL, "http://telegram:8081")
}

func TestCheckAsksTheOneThatRuns(t *testing.T) {
	is := is.New(t)
	server := httptest.NewServer(handler(time.UTC))
	addr := server.Listener.Addr().String()
	is.NoErr(run(t.Context(), []string{"-check", "-addr", addr}, nil, new(strings.Builder)))
	server.Close()
	is.True(run(context.Background(), []string{"-check", "-addr", addr}, nil, new(strings.Builder)) != nil)
	is.NoErr(run(t.Context(), []string{"-once"}, nil, new(strings.Builder)))
}
