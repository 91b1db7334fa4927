package stack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

func TestDevStackNeedsNothingAndDeliversTheThreeMessages(t *testing.T) {
	is := is.New(t)
	s := newStack(t, "--profile", "dev")
	began := time.Now()
	s.up()
	t.Logf("healthy %v after docker compose up --wait", time.Since(began))
	for _, check := range []string{"database", "cache", "telegram"} {
		is.Equal(s.health(check), "ok")
	}
	for _, c := range []struct{ path, body string }{
		{arrivals, `{"days_ahead": 30}`}, {birthdays, `{"days_ahead": 30}`}, {alert, `{"title": "Prueba", "body": "Hola", "level": "success"}`},
	} {
		status, a := s.post(c.path, c.body)
		is.Equal(status, http.StatusOK)
		is.True(a.Success && a.TelegramID != nil)
	}
	messages := s.messages()
	is.Equal(len(messages), 3)
	is.True(strings.Contains(messages[0], "Próximos ingresos"))
	_, page, err := s.ask(http.MethodGet, s.sandbox+"/", "")
	is.NoErr(err)
	is.True(strings.Contains(page, "Presidencia de la Rama 14")) // the page shows the chat
}
