package stack_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestProductionShowsNoSecretAnywhere(t *testing.T) {
	s := newProduction(t, "LOG_LEVEL=DEBUG", "TELEGRAM_TIMEOUT_SECONDS=2", "TELEGRAM_API_URL=http://"+telegramHost+":8081")
	s.up()
	s.failInManyWays(t)

	for _, service := range []string{"ccm-api", "redis"} {
		t.Run(service, func(t *testing.T) {
			id := s.container(service)
			noLeaks(t, "docker inspect", []byte(docker(t, "inspect", id)))
			noLeaks(t, "docker logs", []byte(docker(t, "logs", id)))
			noLeaks(t, "the environment of its process", s.processFile(service, "environ"))
			noLeaks(t, "the command line of its process", s.processFile(service, "cmdline"))
		})
	}
	t.Run("docker compose config", func(t *testing.T) {
		is := is.New(t)
		config := s.compose("config")
		noLeaks(t, "it", []byte(config))
		is.True(strings.Contains(config, "/secretos/telegram_bot_token")) // only where they are
	})
	t.Run("doctor", func(t *testing.T) {
		is := is.New(t)
		for _, args := range [][]string{{"doctor"}, {"doctor", "-o", "json"}, {"doctor", "--verbose"}} {
			out, err := s.try(append([]string{"exec", "--no-TTY", "ccm-api", "/ccm-api"}, args...)...)
			is.True(err != nil)                                  // the database refuses
			is.True(strings.Contains(out, "base de datos"))      // it did look
			is.True(strings.Contains(out, "TELEGRAM_BOT_TOKEN")) // and says what to mend
			noLeaks(t, strings.Join(args, " "), []byte(out))
		}
	})
	t.Run("what it answers", func(t *testing.T) {
		is := is.New(t)
		for _, path := range []string{"/metrics", "/health", "/", "/openapi.json", "/datasets/birthdays"} {
			_, body, err := s.ask(http.MethodGet, s.url+path, "", "X-API-Key", keyCanary.String())
			is.NoErr(err)
			noLeaks(t, path, []byte(body))
		}
	})
	t.Run("the files of the log", func(t *testing.T) { s.searchLog(t) })
	t.Run("its image", func(t *testing.T) { searchImage(t, "ccm-api:"+tag) })
	t.Run("the account of Redis", func(t *testing.T) {
		is := is.New(t)
		account := s.compose("exec", "--no-TTY", "redis", "cat", "/run/redis/users.acl")
		noLeaks(t, "it", []byte(account))
		is.True(strings.Contains(account, fmt.Sprintf("#%x ", sha256.Sum256([]byte(redisCanary.String())))))
		is.Equal(s.health("cache"), "ok") // and that is the password of ccm-api
	})
	t.Run("nobody else on the host may read a secret's file", func(t *testing.T) {
		is := is.New(t)
		is.Equal(s.warnings("chmod 400"), nil)
	})
	t.Run("a token that is rewritten in place counts from the next message on", func(t *testing.T) {
		is := is.New(t)
		started := "--format={{.State.StartedAt}}"
		before := docker(t, "inspect", started, s.container("ccm-api"))
		_, a := s.asClient(alert, `{"title": "Prueba", "body": "Con el token de antes"}`)
		is.Equal(a.ErrorCode, "telegram_api_error")
		s.asRoot("inode=$(stat -c %i telegram_bot_token); printf '%s\n' " + sandboxToken + " > telegram_bot_token; test $inode = $(stat -c %i telegram_bot_token)")
		status, a := s.asClient(alert, `{"title": "Prueba", "body": "Con el token nuevo"}`)
		is.Equal(status, http.StatusOK)
		is.True(a.Success && a.TelegramID != nil)
		is.Equal(docker(t, "inspect", started, s.container("ccm-api")), before)
		s.searchLog(t)
	})
}

// failInManyWays makes requests that come to nothing, each for another reason.
func (s *stack) failInManyWays(t *testing.T) {
	t.Helper()
	is := is.New(t)
	const message = `{"title": "Prueba", "body": "No llegará"}`
	_, a := s.asClient(alert, message)
	is.Equal(a.ErrorCode, "telegram_http_error") // there is no such host
	_, a = s.asClient(arrivals, `{"days_ahead": 30}`)
	is.Equal(a.ErrorCode, "dataset_error") // the database refuses
	s.startTelegram()
	_, a = s.asClient(alert, message)
	is.Equal(a.ErrorCode, "telegram_api_error") // 401
	s.compose("stop", "redis")
	_, a = s.asClient(birthdays, `{"days_ahead": 30}`)
	is.Equal(a.ErrorCode, "dataset_error") // neither a cache
	is.Equal(s.health("cache"), "down")
	s.compose("start", "redis")
	eventually(t, "Redis is back", func() bool { return s.health("cache") == "ok" })
	status, _, err := s.ask(http.MethodPost, s.url+alert, message, "Authorization", "Basic "+keyCanary.String())
	is.NoErr(err)
	is.Equal(status, http.StatusUnauthorized)
	// People do write keys and tokens where they do not belong.
	for _, wrong := range []string{keyCanary.String(), botCanary.String()} {
		status, _, err = s.ask(http.MethodGet, s.url+"/datasets/"+url.PathEscape(wrong)+"?api_key="+url.QueryEscape(wrong), "", "X-API-Key", keyCanary.String())
		is.NoErr(err)
		is.Equal(status, http.StatusNotFound)
	}
}

// searchLog looks for canaries in the log's volume, and in what Docker keeps.
func (s *stack) searchLog(t *testing.T) {
	t.Helper()
	var lines []byte
	for _, m := range s.copied("ccm-api", "/var/log/ccm") {
		lines = append(lines, m.data...)
	}
	noLeaks(t, "/var/log/ccm", lines)
	noLeaks(t, "docker logs", []byte(docker(t, "logs", s.container("ccm-api"))))
	if !strings.Contains(string(lines), `"nivel":"DEBUG"`) {
		t.Error("the log has no line of LOG_LEVEL=DEBUG")
	}
}

func TestPlainVariantShowsItsSettingsToDockerInspect(t *testing.T) {
	is := is.New(t)
	s := newStack(t)
	s.write(".env", "TELEGRAM_BOT_TOKEN=987654321:"+botCanary.String()+"\nDB_PASSWORD='"+databaseCanary.String()+"'\n")
	s.compose("create", "ccm-api")
	found := strings.Join(leaks([]byte(docker(t, "inspect", s.container("ccm-api")))), "; ")
	is.True(strings.Contains(found, "TELEGRAM_BOT_TOKEN")) // so the search above would have found it
	is.True(strings.Contains(found, "DATABASE_URL"))
}

func TestSecretThatCannotBeReadIsSaid(t *testing.T) {
	s := newProduction(t)
	t.Run("by ccm-api", func(t *testing.T) {
		is := is.New(t)
		s.asRoot("chown 0:0 telegram_bot_token && chmod 600 telegram_bot_token")
		out, code := s.runOnce("ccm-api")
		is.Equal(code, 2)
		is.True(strings.Contains(out, "TELEGRAM_BOT_TOKEN_FILE: no hay permiso de leer el archivo"))
		is.True(strings.Contains(out, "chown 65532"))
		noLeaks(t, "it", []byte(out))
	})
	t.Run("by Redis", func(t *testing.T) {
		is := is.New(t)
		s.asRoot("chown 0:0 redis_password && chmod 600 redis_password")
		out, code := s.runOnce("redis")
		is.Equal(code, 2)
		is.True(strings.Contains(out, "redis: no se puede leer /run/secrets/redis_password: en el host, chown 65532"))
		noLeaks(t, "it", []byte(out))
	})
	t.Run("by Compose, when their folder is not named", func(t *testing.T) {
		is := is.New(t)
		edit(t, filepath.Join(s.dir, ".env"), "CCM_SECRETS_DIR=", "# CCM_SECRETS_DIR=")
		out, err := s.try("up", "--detach")
		is.True(err != nil)
		is.True(strings.Contains(out, "falta CCM_SECRETS_DIR en .env"))
		is.NoErr(os.Remove(filepath.Join(s.dir, ".env"))) // or the end of the test could not clean up
	})
}

func TestSecretThatEverybodyMayReadIsWarnedOfInProduction(t *testing.T) {
	s := newProduction(t)
	s.asRoot("chmod 444 database_url telegram_bot_token ccm_api_keys redis_password")
	s.up()
	for _, setting := range []string{"DATABASE_URL", "TELEGRAM_BOT_TOKEN", "CCM_API_KEYS", "REDIS_PASSWORD"} {
		t.Run(setting, func(t *testing.T) {
			if len(s.warnings(setting, "chmod 400")) == 0 {
				t.Errorf("no line of nivel WARNING names %s and chmod 400 in\n%s", setting, s.logs("ccm-api"))
			}
		})
	}
}

// warnings are the lines of ccm-api's log at WARNING that hold all words.
func (s *stack) warnings(words ...string) (found []string) {
	s.tb.Helper()
lines:
	for line := range strings.Lines(s.logs("ccm-api")) {
		var entry struct {
			Nivel string `json:"nivel"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Nivel != "WARNING" {
			continue
		}
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}
