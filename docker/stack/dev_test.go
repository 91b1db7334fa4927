package stack_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
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

// A developer may have a real .env in the checkout, with names in any case: no
// message of a try may reach the real chat.
func TestDevStackRefusesRealSettings(t *testing.T) {
	is := is.New(t)
	s := newStack(t, "--profile", "dev")
	s.write(".env", "database_url=mysql://lector:clave@127.0.0.1:9/ccm\nTELEGRAM_BOT_TOKEN=987654321:AAF-another-token-nobody-knows-01234\nTELEGRAM_CHAT_ID=-100777\n")
	_, err := s.try("up", "--detach", "--wait")
	is.True(err != nil)
	is.True(strings.Contains(s.logs("telegram"), "hay ajustes reales en .env (DATABASE_URL, TELEGRAM_BOT_TOKEN)"))

	database := docker(t, "inspect", "--format", "{{(index .NetworkSettings.Networks \""+s.project+"_salida\").IPAddress}}", s.container("mysql"))
	resolved := docker(t, "run", "--rm", "--network", s.project+"_salida", "golang:1.26", "getent", "hosts", "api.telegram.org")
	is.Equal(strings.Fields(resolved)[0], strings.TrimSpace(database)) // not Telegram
	status, a := s.post(alert, `{"title": "Prueba", "body": "No debe salir"}`)
	is.Equal(status, http.StatusBadGateway)
	is.True(!a.Uncertain) // it never left

	// The way back that the refusal names.
	s.compose("down")
	s.global = nil
	s.up()
	is.Equal(strings.Fields(s.compose("ps", "--services")), []string{"ccm-api", "redis"})
	is.True(strings.Contains(docker(t, "inspect", s.container("ccm-api")), "database_url=mysql://lector"))
}

func TestWithoutAnySettingsNothingIsServed(t *testing.T) {
	is := is.New(t)
	s := newStack(t)
	out, code := s.runOnce("ccm-api")
	is.Equal(code, 2)
	is.True(strings.Contains(out, "DATABASE_URL y TELEGRAM_BOT_TOKEN"))
	is.True(strings.Contains(out, "--profile dev"))
}

// A try in another copy of the repository must not touch what runs for real.
func TestProductionIsAProjectOfItsOwn(t *testing.T) {
	is := is.New(t)
	s := newStack(t)
	name := func(env ...string) string {
		cmd := exec.Command("docker", "compose", "config", "--format", "json")
		cmd.Dir, cmd.Env = s.dir, append(os.Environ(), env...)
		out, err := cmd.Output()
		is.NoErr(err)
		var project struct{ Name string }
		is.NoErr(json.Unmarshal(out, &project))
		return project.Name
	}
	is.Equal(name(), "ccm")
	is.Equal(name("COMPOSE_FILE=compose.yaml:docker/compose.prod.yaml", "CCM_SECRETS_DIR=/nowhere"), "ccm-prod")
}
