package stack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

// TestDevStackNeedsNothing is the first thing a newcomer does.
func TestDevStackNeedsNothing(t *testing.T) {
	is := is.New(t)
	s := newStack(t, "--profile", "dev")
	began := time.Now()
	s.up()
	t.Logf("healthy %v after docker compose up --wait", time.Since(began).Round(10*time.Millisecond))
	deliversTheThreeMessages(t, s)
	_, page, err := s.ask(http.MethodGet, s.sandbox+"/", "")
	is.NoErr(err)
	is.True(strings.Contains(page, "Presidencia de la Rama 14")) // the page shows the chat
}

// A developer may have a real .env in the checkout: no message of a try may
// reach the real chat.
func TestDevStackRefusesRealSettings(t *testing.T) {
	is := is.New(t)
	s := newStack(t, "--profile", "dev")
	s.write(".env", "DATABASE_URL=mysql://lector:clave@127.0.0.1:9/ccm\nTELEGRAM_BOT_TOKEN=987654321:AAF-another-token-nobody-knows-01234\nTELEGRAM_CHAT_ID=-100777\n")
	_, err := s.try("up", "--detach", "--wait")
	is.True(err != nil)
	is.True(strings.Contains(s.logs("telegram"), "hay ajustes reales (DATABASE_URL TELEGRAM_BOT_TOKEN)"))

	database := docker(t, "inspect", "--format", "{{(index .NetworkSettings.Networks \""+s.project+"_salida\").IPAddress}}", s.container("mysql"))
	resolved := docker(t, "run", "--rm", "--network", s.project+"_salida", "golang:1.26", "getent", "hosts", "api.telegram.org")
	is.Equal(strings.Fields(resolved)[0], strings.TrimSpace(database)) // not Telegram
	status, a := s.post(alert, `{"title": "Prueba", "body": "No debe salir"}`)
	is.Equal(status, http.StatusBadGateway)
	is.True(!a.Uncertain) // it never left
}
