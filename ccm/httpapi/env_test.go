package httpapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

// env looks up "NAME=value" lines.
func env(lines ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, line := range lines {
			if key, value, _ := strings.Cut(line, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestParseEnv(t *testing.T) {
	t.Run("of nothing is an open API for development", func(t *testing.T) {
		is := is.New(t)
		cfg, err := httpapi.ParseEnv(env())
		is.NoErr(err)
		is.Equal(len(cfg.Keys), 0)
		is.Equal(cfg.Legacy, false)
		is.Equal(cfg.NoDocs, false)
		is.Equal(cfg.Timeout, 60*time.Second)
	})

	t.Run("reads every setting", func(t *testing.T) {
		is := is.New(t)
		cfg, err := httpapi.ParseEnv(env(
			"CCM_API_KEYS= panel = 0123456789abcdef , cron=c2VjcmV0bw==relleno ,", "CCM_LEGACY_STATUS=sí",
			"ENABLE_SWAGGER=false", "CCM_HTTP_TIMEOUT_SECONDS=90", "APP_ENV=production"))
		is.NoErr(err)
		is.Equal(cfg.Keys, map[string]string{"panel": "0123456789abcdef", "cron": "c2VjcmV0bw==relleno"})
		is.True(cfg.Legacy)
		is.True(cfg.NoDocs)
		is.Equal(cfg.Timeout, 90*time.Second)
	})

	t.Run("takes keys off the API only when told", func(t *testing.T) {
		is := is.New(t)
		cfg, err := httpapi.ParseEnv(env("CCM_API_KEYS=panel=0123456789abcdef", "CCM_API_AUTH=off", "APP_ENV=production"))
		is.NoErr(err)
		is.Equal(len(cfg.Keys), 0)
	})

	t.Run("lets staging start without keys", func(t *testing.T) {
		is := is.New(t)
		_, err := httpapi.ParseEnv(env("APP_ENV=staging"))
		is.NoErr(err)
	})

	faults := map[string]struct {
		env   []string
		names string
	}{
		"production without keys":   {[]string{"APP_ENV=production"}, "CCM_API_KEYS"},
		"keys on, and none":         {[]string{"CCM_API_AUTH=on"}, "CCM_API_KEYS"},
		"a key without its name":    {[]string{"CCM_API_KEYS=valor-que-no-debe-verse"}, "CCM_API_KEYS"},
		"padding taken for a key":   {[]string{"CCM_API_KEYS=valor-que-no-debe-verse=="}, "CCM_API_KEYS"},
		"a short key":               {[]string{"CCM_API_KEYS=panel=debe-verse"}, "CCM_API_KEYS"},
		"a key with a blank inside": {[]string{"CCM_API_KEYS=panel=valor que no debe-verse"}, "CCM_API_KEYS"},
		"a name twice":              {[]string{"CCM_API_KEYS=a=valor-que-no-debe-verse,a=valor-que-no-debe-verse2"}, "CCM_API_KEYS"},
		"a key twice":               {[]string{"CCM_API_KEYS=a=valor-que-no-debe-verse,b=valor-que-no-debe-verse"}, "CCM_API_KEYS"},
		"an unknown environment":    {[]string{"APP_ENV=debe-verse"}, "APP_ENV"},
		"an unknown boolean":        {[]string{"CCM_LEGACY_STATUS=debe-verse"}, "CCM_LEGACY_STATUS"},
		"no time at all":            {[]string{"CCM_HTTP_TIMEOUT_SECONDS=0"}, "CCM_HTTP_TIMEOUT_SECONDS"},
		"too much time":             {[]string{"CCM_HTTP_TIMEOUT_SECONDS=86400"}, "CCM_HTTP_TIMEOUT_SECONDS"},
	}
	for name, tt := range faults {
		t.Run("names the setting of "+name+", not its value", func(t *testing.T) {
			is := is.New(t)
			_, err := httpapi.ParseEnv(env(tt.env...))
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), tt.names))
			is.True(!strings.Contains(err.Error(), "debe-verse"))
		})
	}

	t.Run("asks for a comment that became part of a value", func(t *testing.T) {
		for _, line := range []string{"APP_ENV=production # debe-verse", "ENABLE_SWAGGER=false # debe-verse", `CCM_HTTP_TIMEOUT_SECONDS="90" # debe-verse`, "CCM_API_KEYS=a=0123456789abcdef # debe-verse"} {
			is := is.New(t)
			_, err := httpapi.ParseEnv(env(line))
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), "¿hay un comentario en la misma línea?"))
			is.True(!strings.Contains(err.Error(), "debe-verse"))
		}
	})

	t.Run("names a file of keys that cannot be read, and no way without", func(t *testing.T) {
		dir := t.TempDir()
		empty := filepath.Join(dir, "empty")
		is.New(t).NoErr(os.WriteFile(empty, []byte("\n"), 0o600))
		for _, lines := range [][]string{
			{"CCM_API_KEYS_FILE=" + filepath.Join(dir, "none")}, {"CCM_API_KEYS_FILE=" + dir}, {"CCM_API_KEYS_FILE=" + empty},
			{"CCM_API_KEYS=a=0123456789abcdef", "CCM_API_KEYS_FILE=" + empty}, {"CCM_API_KEYS=debe-verse"},
		} {
			is := is.New(t)
			_, err := httpapi.ParseEnv(env(append(lines, "APP_ENV=production")...))
			is.True(err != nil)
			is.Equal(strings.Count(err.Error(), "\n"), 0) // one fault
			is.True(!strings.Contains(err.Error(), "CCM_API_AUTH"))
		}
	})

	t.Run("names all faults at once", func(t *testing.T) {
		is := is.New(t)
		_, err := httpapi.ParseEnv(env("CCM_API_KEYS=x,y=corta", "ENABLE_SWAGGER=quizá"))
		is.True(err != nil)
		is.Equal(strings.Count(err.Error(), "CCM_API_KEYS"), 2)
		is.Equal(strings.Count(err.Error(), "ENABLE_SWAGGER"), 1)
	})

	t.Run("lists what it reads", func(t *testing.T) {
		is := is.New(t)
		for _, s := range httpapi.Settings() {
			is.True(s.Doc != "")
			is.Equal(s.Secret, s.Name == "CCM_API_KEYS")
		}
		is.Equal(len(httpapi.Settings()), 6)
	})
}
