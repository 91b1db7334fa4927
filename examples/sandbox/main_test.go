package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

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
	is := is.New(t)
	err := run(t.Context(), nil, func(name string) string {
		return map[string]string{"AJUSTES_REALES": "DATABASE_URL"}[name]
	}, new(strings.Builder))
	is.True(strings.Contains(err.Error(), "hay ajustes reales (DATABASE_URL)"))
}

func TestCheckAsksTheOneThatRuns(t *testing.T) {
	is := is.New(t)
	server := httptest.NewServer(handler(time.UTC))
	addr := server.Listener.Addr().String()
	none := func(string) string { return "" }
	is.NoErr(run(t.Context(), []string{"-check", "-addr", addr}, none, new(strings.Builder)))
	server.Close()
	is.True(run(context.Background(), []string{"-check", "-addr", addr}, none, new(strings.Builder)) != nil)
	is.NoErr(run(t.Context(), []string{"-once"}, none, new(strings.Builder)))
}
