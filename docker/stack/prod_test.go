package stack_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ccmwf/ccm/store"
)

const (
	// sandboxChat is the chat that the fake Telegram knows.
	sandboxChat = "-1001234567890"
	// sandboxToken is the one token that it accepts.
	sandboxToken = "123456789:AAFakeTokenForTestsOnly_0123456789a"
	// telegramHost is the fake's name in the networks of newProduction.
	telegramHost = "telegram-de-prueba"
)

// newProduction is a stack as docker/ejemplo.env tells an operator to make it,
// and every secret is a canary. MySQL and Telegram are outside and away.
// Settings are lines that .env has besides.
func newProduction(tb testing.TB, settings ...string) *stack {
	tb.Helper()
	s := newStack(tb)
	example, err := os.ReadFile(filepath.Join(s.dir, "docker/ejemplo.env"))
	if err != nil {
		tb.Fatal(err)
	}
	s.write(".env", string(example)+"\n"+strings.Join(settings, "\n")+"\n")
	edit(tb, filepath.Join(s.dir, ".env"), "TELEGRAM_CHAT_ID=\n", "TELEGRAM_CHAT_ID="+sandboxChat+"\n")
	for name, value := range map[string]string{
		"database_url":       store.URL("lector", databaseCanary.String(), "127.0.0.1", 3306, "ccm"), // refuses
		"telegram_bot_token": "987654321:" + botCanary.String(),
		"ccm_api_keys":       "prueba=" + keyCanary.String(),
		"redis_password":     redisCanary.String(),
	} {
		s.write("secretos/"+name, value+"\n")
	}
	s.asRoot("chown 65532 * && chmod 400 *")
	return s
}

// asRoot runs a shell script in the folder of the secrets, so that the tests
// themselves need no root.
func (s *stack) asRoot(script string) {
	s.tb.Helper()
	docker(s.tb, "run", "--rm", "--user", "0:0", "--network", "none", "--volume", filepath.Join(s.dir, "secretos")+":/secretos",
		"--workdir", "/secretos", "--entrypoint", "/bin/sh", "redis:8", "-ec", script)
}

// asClient sends a request with the API key of newProduction.
func (s *stack) asClient(path, body string) (int, answer) {
	s.tb.Helper()
	return s.post(path, body, "X-API-Key", keyCanary.String())
}

// startTelegram puts the fake Telegram in the network of the stack, as telegramHost. It accepts
// sandboxToken, which is not the token that newProduction has.
func (s *stack) startTelegram() {
	s.tb.Helper()
	name := s.project + "-telegram"
	s.tb.Cleanup(func() { docker(s.tb, "rm", "--force", name) }) // before the network goes
	docker(s.tb, "run", "--detach", "--name", name, "--network", s.project+"_salida", "--network-alias", telegramHost,
		"--publish", strings.TrimPrefix(s.sandbox, "http://")+":8081", "ccm-sandbox:"+tag)
	eventually(s.tb, "the fake Telegram is ready", func() bool {
		status, _, err := s.ask(http.MethodGet, s.sandbox+"/sandbox/ready", "")
		return err == nil && status == http.StatusOK
	})
}

// processFile is a file of /proc of the first process of a service, read by a
// container beside it that has the same user and may look.
func (s *stack) processFile(service, name string) []byte {
	s.tb.Helper()
	return []byte(docker(s.tb, "run", "--rm", "--network", "none", "--pid", "container:"+s.container(service),
		"--user", "65532:65532", "--entrypoint", "cat", "redis:8", "/proc/1/"+name))
}

// copied is a folder of a service's container as docker cp hands it over.
func (s *stack) copied(service, folder string) []member {
	s.tb.Helper()
	archive, err := exec.Command("docker", "cp", s.container(service)+":"+folder, "-").Output()
	if err != nil {
		s.tb.Fatalf("docker cp %s:%s: %v", service, folder, err)
	}
	members, err := untar(archive)
	if err != nil {
		s.tb.Fatal(err)
	}
	return members
}

// runOnce is docker compose run: what a service printed and its exit code.
func (s *stack) runOnce(service string) (string, int) {
	s.tb.Helper()
	out, err := s.try("run", "--rm", "--no-deps", "--no-TTY", service)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.tb.Fatalf("docker compose run %s: %v\n%s", service, err, out)
	}
	if exit != nil {
		return out, exit.ExitCode()
	}
	return out, 0
}
