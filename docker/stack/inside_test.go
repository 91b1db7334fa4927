package stack_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestFromInsideTheThreeMessagesArrive is the part of the suite that only
// `docker compose --profile tests run --rm tests` can run: it asks the stack's
// own ccm-api, with its Redis and MySQL, by their names in the stack's network.
func TestFromInsideTheThreeMessagesArrive(t *testing.T) {
	s := &stack{tb: t, url: os.Getenv("CCM_TEST_API_URL"), sandbox: os.Getenv("CCM_TEST_SANDBOX_URL")}
	if s.url == "" {
		t.Skip("only inside of the stack: docker compose --profile tests run --rm tests")
	}
	deliversTheThreeMessages(t, s)
}

// deliversTheThreeMessages asks a stack with the sandbox for each message once.
func deliversTheThreeMessages(t *testing.T, s *stack) {
	is := is.New(t)
	for _, check := range []string{"database", "cache", "telegram"} {
		is.Equal(s.health(check), "ok")
	}
	before := len(s.messages())
	for _, c := range []struct{ path, body, title string }{
		{arrivals, `{"days_ahead": 30}`, "Próximos ingresos"},
		{birthdays, `{"days_ahead": 30}`, "Próximos cumpleaños"},
		{alert, `{"title": "Prueba", "body": "<Hola> & adiós", "level": "success"}`, "<Hola> & adiós"},
	} {
		status, a := s.post(c.path, c.body)
		is.Equal(status, http.StatusOK)
		is.True(a.Success && a.TelegramID != nil)
		messages := s.messages()
		is.True(strings.Contains(messages[len(messages)-1], c.title))
	}
	is.Equal(len(s.messages()), before+3)
}
