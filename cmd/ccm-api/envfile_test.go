package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
)

func TestEnvFileKeepsPasswordsAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"plain":             {`DB_PASSWORD=clave`, "clave"},
		"a dollar":          {`DB_PASSWORD=pa$word$1$HOME`, "pa$word$1$HOME"},
		"two dollars":       {`DB_PASSWORD=a$$b`, "a$$b"},
		"a dollar, quoted":  {`DB_PASSWORD="pa$WORD"`, "pa$WORD"},
		"in single quotes":  {`DB_PASSWORD='pa$WORD #1'`, "pa$WORD #1"},
		"a hash inside":     {`DB_PASSWORD=cla#ve`, "cla#ve"},
		"a comment":         {`DB_PASSWORD=clave # de lector`, "clave"},
		"an equals sign":    {`DB_PASSWORD=a=b=`, "a=b="},
		"exported":          {`export DB_PASSWORD=clave`, "clave"},
		"blanks around":     {`  DB_PASSWORD = clave  `, "clave"},
		"in lower case":     {`db_password=clave`, "clave"},
		"another's value":   {"X=1\nDB_PASSWORD=${X}2", "12"},
		"Windows' line end": {"DB_PASSWORD=clave\r\nX=1\r\n", "clave"},
		"a byte order mark": {"\ufeffDB_PASSWORD=clave", "clave"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			path := filepath.Join(t.TempDir(), ".env")
			is.NoErr(os.WriteFile(path, []byte(c.line), 0o600))
			a := &app{lookup: none}
			is.NoErr(a.readEnvFile(path, true))
			got, _ := a.lookup("DB_PASSWORD")
			is.Equal(got, c.want)
		})
	}
}

func TestEnvironmentWinsOverEnvFile(t *testing.T) {
	for name, c := range map[string]struct {
		environ    []string
		file, want map[string]string
	}{
		"by name":           {[]string{"A=env"}, map[string]string{"A": "file"}, map[string]string{"A": "env"}},
		"in any case":       {[]string{"Api_Port=1"}, map[string]string{"API_PORT": "2"}, map[string]string{"API_PORT": "1"}},
		"over a secret":     {[]string{"A_FILE=/run/a"}, map[string]string{"A": "file"}, map[string]string{"A": "", "A_FILE": "/run/a"}},
		"as a secret":       {[]string{"A=env"}, map[string]string{"A_FILE": "/f"}, map[string]string{"A": "env", "A_FILE": ""}},
		"unless it is void": {[]string{"A="}, map[string]string{"A": "file"}, map[string]string{"A": "file"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			lookup := layered(environment(c.environ), c.file)
			for name, want := range c.want {
				got, _ := lookup(name)
				is.Equal(got, want)
			}
		})
	}
}

func TestLogShowsNoSecret(t *testing.T) {
	const token = "123456789:AAFakeTokenForTestsOnly_0123456789abc"
	env := environment([]string{
		"TELEGRAM_BOT_TOKEN=" + token,
		`DATABASE_URL=mysql://lector:p%40ss"<w\rd>@db.example.org/ccm?charset=utf8mb4`,
		"CCM_API_KEYS=uno=0123456789abcdef,dos=fedcba9876543210",
		"DB_PASSWORD=ab",
		"REDIS_URL=redis://ccm@redis:6379/0",
		"REDIS_PASSWORD=r/d s#1ñ%41",
	})
	var out bytes.Buffer
	logger := newLogger(&out, levels["DEBUG"], secretValues(env))
	for name, c := range map[string]struct{ text, secret string }{
		"the token":                {"POST /bot" + token + "/sendMessage", token},
		"the token, escaped":       {"/bot123456789%3AAAFakeTokenForTestsOnly_0123456789abc/", "AAFake"},
		"another token":            {"bot987654321:BBF-some-other-token-0123456789abcde", "BBF-"},
		"another one, escaped":     {"/bot987654321%3aBBF-some-other-token-0123456789abcde/getMe", "BBF-"},
		"a short one":              {"bot987654321:BBF-some-other-token", "BBF-"},
		"a password as written":    {`no entra con p%40ss"<w\rd>`, `<w\\rd>`},
		"the same, decoded":        {`no entra con p@ss"<w\rd>`, "p@ss"},
		"a password of another":    {"redis://:hunter2@redis:6379", "hunter2"},
		"Redis's password":         {"WRONGPASS r/d s#1ñ%41", "r/d"},
		"the same in its URL":      {"redis://ccm:r%2Fd%20s%231%C3%B1%2541@redis:6379/0", "r%2Fd"},
		"the same in a query":      {"?clave=r%2Fd+s%231%C3%B1%2541", "r%2Fd"},
		"an API key":               {"clave 0123456789abcdef", "0123456789abcdef"},
		"an e-mail address":        {"correo ana.perez@example.org", "ana.perez"},
		"one in a stack of others": {"x\n\tpanic: " + token + "\n", token},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			out.Reset()
			logger.Error(c.text, "reason", c.text, c.text, 1)
			is.True(!bytes.Contains(out.Bytes(), []byte(c.secret)))
			is.True(bytes.Contains(out.Bytes(), []byte(redacted)))
		})
	}
	t.Run("but what is none", func(t *testing.T) {
		is := is.New(t)
		out.Reset()
		logger.Info("ab a las 01:50:03 en db.example.org con utf8mb4", "chat", "@canal")
		is.True(!bytes.Contains(out.Bytes(), []byte(redacted)))
	})
}

func none(string) (string, bool) { return "", false }
