package ccm_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

var token = telegramtest.New().Token

func TestParseEnvReadsAnExistingEnv(t *testing.T) {
	is := is.New(t)
	cfg, err := ccm.ParseEnv(lookup(map[string]string{
		"DATABASE_URL": "mysql+pymysql://lector:p#1@db:3306/ccm?charset=utf8mb4", "CCM_FEB29": "1MAR",
		"CACHE_PROVIDER": "Redis", "REDIS_URL": "redis://:clave@redis:6379/0", "REPORT_CACHE_TTL_MINUTES": "0.5", "CCM_CACHE_STALE_HOURS": "0",
		"RAMA_ACTUAL": " 14 ", "RAMAS_AUTORIZADAS": "[14, 9]", "CCM_BIRTHDAY_STATUS": "CCM, Futuro",
		"telegram_enabled": "SÍ", "TELEGRAM_BOT_TOKEN": token, "TELEGRAM_CHAT_ID": "'-1001234567890'", "TELEGRAM_TIMEOUT_SECONDS": "20",
		"TELEGRAM_API_URL": "http://bot-api:8081", "GOOGLE_APPLICATION_CREDENTIALS": "/c.json", "GOOGLE_TOKEN_PATH": "/t.json",
		"CCM_TIMEZONE": "America/Lima",
	}))
	is.NoErr(err)
	is.Equal(cfg.Store.Feb29, time.March)
	is.Equal(cfg.Cache.URL, "redis://:clave@redis:6379/0")
	is.Equal(cfg.Fresh, 30*time.Second)
	is.True(cfg.MaxStale < 0) // 0 hours: nothing stands in
	is.Equal(cfg.Branch, 14)
	is.Equal(cfg.Branches, []int{14, 9})
	is.Equal(cfg.BirthdayStatus, []string{"CCM", "Futuro"})
	is.Equal(cfg.Telegram.Token, token)
	is.Equal(cfg.Telegram.BaseURL, "http://bot-api:8081")
	is.Equal(cfg.Telegram.Timeout, 20*time.Second)
	is.Equal(cfg.Chat.Chat, "-1001234567890")
	is.Equal(cfg.Google.File+cfg.Google.TokenFile, "/c.json/t.json")
	is.Equal(cfg.Location.String(), "America/Lima")
	c, err := ccm.Open(cfg)
	is.NoErr(err)
	is.NoErr(c.Close())
}

func TestParseEnvWithoutAnythingCanStillRender(t *testing.T) {
	is := is.New(t)
	cfg, err := ccm.ParseEnv(lookup(nil))
	is.NoErr(err)
	_, err = client(t, cfg, nil).SendAlert(t.Context(), alert, ccm.SendOptions{DryRun: true})
	is.NoErr(err)
}

func TestParseEnvReadsWhereTheJournalIs(t *testing.T) {
	is := is.New(t)
	parse := func(env map[string]string) (ccm.Config, error) {
		env["DATABASE_URL"] = "mysql+pymysql://lector:clave@db.centro:3306/ccm"
		return ccm.ParseEnv(lookup(env))
	}
	cfg, err := parse(map[string]string{"CCM_JOURNAL_URL": "mysql://diario:clave@db.centro/ccm_diario", "CCM_JOURNAL_RETENTION_DAYS": "7", "CCM_ALERT_CHAT_ID": "@avisos"})
	is.NoErr(err)
	is.Equal(cfg.JournalURL, "mysql://diario:clave@db.centro/ccm_diario")
	is.Equal(cfg.JournalRetention, 7*24*time.Hour)
	is.Equal(cfg.AlertChat.Chat, "@avisos")
	cfg, err = parse(map[string]string{})
	is.NoErr(err)
	is.Equal(cfg.JournalURL, "")
	is.Equal(cfg.JournalRetention, 30*24*time.Hour)
	_, err = parse(map[string]string{"CCM_JOURNAL_URL": "mysql://otro@db.centro:3306/ccm"}) // another user, the same schema
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "CCM_JOURNAL_URL: nombra la misma base de datos que DATABASE_URL"))
}

func TestParseEnvMakesAURLOfParts(t *testing.T) {
	is := is.New(t)
	cfg, err := ccm.ParseEnv(lookup(map[string]string{"DB_HOST": "db", "DB_USER": "lector", "DB_PASSWORD": "p@:/?#%41", "DB_NAME": "ccm", "DB_PORT": "3307"}))
	is.NoErr(err)
	is.True(strings.HasPrefix(cfg.Store.URL, "mysql://lector:p%40"))
	is.True(strings.HasSuffix(cfg.Store.URL, "@db:3307/ccm"))
	_, err = ccm.ParseEnv(lookup(map[string]string{"DB_HOST": "db"}))
	is.True(strings.Contains(err.Error(), "DB_USER: falta"))
	is.True(strings.Contains(err.Error(), "DB_NAME: falta"))
}

func TestParseEnvPutsThePasswordIntoTheRedisURL(t *testing.T) {
	const password = "a@b:c/d?e#f%41 ñ&+=[]"
	for url, user := range map[string]string{
		"redis://redis:6379/0":             "",
		"redis://ccm@redis:6379/0":         "ccm",
		"rediss://ccm:@redis:6379/0?db=1":  "ccm",
		"redis://a%40b@[::1]:6379/0":       "a@b",
		"unix://ccm@/run/redis.sock?db=15": "ccm",
	} {
		t.Run(url, func(t *testing.T) {
			is := is.New(t)
			cfg, err := ccm.ParseEnv(lookup(map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": url, "REDIS_PASSWORD": password}))
			is.NoErr(err)
			plain, err := redis.ParseURL(url)
			is.NoErr(err)
			got, err := redis.ParseURL(cfg.Cache.URL)
			is.NoErr(err)
			is.Equal(got.Username, user)
			is.Equal(got.Password, password)
			is.Equal(got.Addr, plain.Addr)
			is.Equal(got.DB, plain.DB)
		})
	}
}

func TestParseEnvReadsSecretsFromFiles(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "token")
	is.NoErr(os.WriteFile(path, []byte("\n "+token+"\n"), 0o600))
	cfg, err := ccm.ParseEnv(lookup(map[string]string{"TELEGRAM_BOT_TOKEN_FILE": path, "TELEGRAM_CHAT_ID_FILE": path}))
	is.True(strings.Contains(err.Error(), "TELEGRAM_CHAT_ID: debe ser")) // it was read too
	is.Equal(cfg.Telegram.TokenFile, path)                               // and is read again when it changes
	is.Equal(cfg.Telegram.Token, "")
}

func TestParseEnvNamesEveryFaultAndNoValue(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		is.New(t).NoErr(os.WriteFile(path, []byte(text), mode))
		return path
	}
	is.New(t).NoErr(os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	for name, c := range map[string]struct {
		env  map[string]string
		says []string
	}{
		"a URL of no form":     {map[string]string{"DATABASE_URL": "postgres://u:s3creto@h/d"}, []string{"DATABASE_URL: no sirve", "mysql://usuario:contraseña@host:3306/base"}},
		"a port of no number":  {map[string]string{"DB_HOST": "h", "DB_USER": "u", "DB_NAME": "n", "DB_PORT": "s3creto"}, []string{"DB_PORT: debe ser un número entero de 1 a 65535"}},
		"29 February":          {map[string]string{"CCM_FEB29": "s3creto"}, []string{"CCM_FEB29: debe ser uno de: 28feb, 1mar"}},
		"a cache of no kind":   {map[string]string{"CACHE_PROVIDER": "s3creto"}, []string{"CACHE_PROVIDER: debe ser uno de: memory, redis"}},
		"redis without a URL":  {map[string]string{"CACHE_PROVIDER": "redis"}, []string{"REDIS_URL: falta"}},
		"a redis of no form":   {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "http://:s3creto@h"}, []string{"REDIS_URL: no sirve"}},
		"a port of no Redis":   {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "redis://:s3creto@h:99999"}, []string{"REDIS_URL: no sirve"}},
		"a password as it is":  {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "redis://:12#s3creto@h:6379/0"}, []string{"va tal cual en REDIS_PASSWORD"}},
		"twice a password":     {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "redis://ccm:s3creto@h", "REDIS_PASSWORD": "s3creto"}, []string{"REDIS_PASSWORD: REDIS_URL ya lleva una contraseña: quítela de allí"}},
		"a password of none":   {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_PASSWORD": "s3creto"}, []string{"REDIS_URL: falta"}},
		"one for no URL":       {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "redis://h:s3creto/0", "REDIS_PASSWORD": "s3creto"}, []string{"REDIS_URL: no sirve"}},
		"minutes of no number": {map[string]string{"REPORT_CACHE_TTL_MINUTES": "s3creto"}, []string{"REPORT_CACHE_TTL_MINUTES: debe ser un número de 0 a 1440"}},
		"minutes that are NaN": {map[string]string{"REPORT_CACHE_TTL_MINUTES": "NaN"}, []string{"REPORT_CACHE_TTL_MINUTES"}},
		"hours below zero":     {map[string]string{"CCM_CACHE_STALE_HOURS": "-1"}, []string{"CCM_CACHE_STALE_HOURS: debe ser un número de 0 a 720"}},
		"a branch of no form":  {map[string]string{"RAMA_ACTUAL": "s3creto"}, []string{"RAMA_ACTUAL: debe ser un número entero"}},
		"branches of no form":  {map[string]string{"RAMAS_AUTORIZADAS": "14, s3creto, 0"}, []string{"RAMAS_AUTORIZADAS: el elemento 2 no", "RAMAS_AUTORIZADAS: el elemento 3 no"}},
		"a zone of nowhere":    {map[string]string{"CCM_TIMEZONE": "s3creto"}, []string{"CCM_TIMEZONE: no es una zona horaria"}},
		"the host's zone":      {map[string]string{"CCM_TIMEZONE": "Local"}, []string{"CCM_TIMEZONE"}},
		"a switch of no kind":  {map[string]string{"TELEGRAM_ENABLED": "s3creto"}, []string{"TELEGRAM_ENABLED: debe ser true o false"}},
		"on without a bot":     {map[string]string{"TELEGRAM_ENABLED": "true"}, []string{"TELEGRAM_BOT_TOKEN: falta", "TELEGRAM_CHAT_ID: falta"}},
		"a token of no form":   {map[string]string{"TELEGRAM_BOT_TOKEN": "s3creto", "TELEGRAM_CHAT_ID": "1"}, []string{"TELEGRAM_BOT_TOKEN: no tiene la forma"}},
		"a chat of no form":    {map[string]string{"TELEGRAM_CHAT_ID": "s3creto"}, []string{"TELEGRAM_CHAT_ID: debe ser un número como"}},
		"no patience":          {map[string]string{"TELEGRAM_TIMEOUT_SECONDS": "0"}, []string{"TELEGRAM_TIMEOUT_SECONDS: debe ser un número de 1 a 300"}},
		"an API of no form":    {map[string]string{"TELEGRAM_API_URL": "http://u:s3creto@h/"}, []string{"TELEGRAM_API_URL: debe ser una dirección"}},
		"twice the same":       {map[string]string{"REDIS_URL": "s3creto", "REDIS_URL_FILE": "/x", "CACHE_PROVIDER": "redis"}, []string{"también está REDIS_URL_FILE"}},
		"twice the token":      {map[string]string{"TELEGRAM_BOT_TOKEN": "s3creto", "TELEGRAM_BOT_TOKEN_FILE": "/x", "TELEGRAM_ENABLED": "1", "TELEGRAM_CHAT_ID": "1"}, []string{"también está TELEGRAM_BOT_TOKEN_FILE"}},
		"a file that is not":   {map[string]string{"DATABASE_URL_FILE": "/no/hay"}, []string{"DATABASE_URL_FILE: no existe el archivo /no/hay"}},
		"a folder":             {map[string]string{"DATABASE_URL_FILE": filepath.Join(dir, "folder")}, []string{"es un directorio: Docker lo crea"}},
		"an empty file":        {map[string]string{"DATABASE_URL_FILE": write("empty", " \n", 0o600)}, []string{"está vacío"}},
		"a huge file":          {map[string]string{"DATABASE_URL_FILE": write("huge", strings.Repeat("s3creto", 10_000), 0o600)}, []string{"es demasiado grande"}},
		"a secret for a path":  {map[string]string{"DATABASE_URL_FILE": "s3creto"}, []string{"DATABASE_URL_FILE: no existe el archivo:"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ccm.ParseEnv(lookup(c.env))
			if err == nil {
				t.Fatal("no fault")
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3creto") {
				t.Errorf("%q shows a value", err)
			}
			if got := len(strings.Split(err.Error(), "\n")); got != max(1, len(c.says)) && name != "a URL of no form" {
				t.Errorf("%d faults, want %d: %v", got, len(c.says), err)
			}
		})
	}
}

func TestParseEnvAsksForAComment(t *testing.T) {
	const asks = " (¿hay un comentario en la misma línea? En el entorno forma parte del valor: póngalo en una línea aparte)"
	for name, c := range map[string]struct {
		env  map[string]string
		asks bool
	}{
		"a number":            {map[string]string{"RAMA_ACTUAL": "14 # s3creto"}, true},
		"a number of units":   {map[string]string{"REPORT_CACHE_TTL_MINUTES": "30\t# s3creto"}, true},
		"a quoted number":     {map[string]string{"RAMA_ACTUAL": `"14" # s3creto`}, true},
		"quotes twice":        {map[string]string{"RAMA_ACTUAL": `'14' # 's3creto'`}, true},
		"no blank after it":   {map[string]string{"RAMA_ACTUAL": `"14"# s3creto`}, true},
		"a comment alone":     {map[string]string{"RAMA_ACTUAL": " # s3creto"}, true},
		"a hash before it":    {map[string]string{"RAMA_ACTUAL": "1#4 # s3creto"}, true},
		"a list":              {map[string]string{"RAMAS_AUTORIZADAS": "14 # s3creto"}, true},
		"a switch":            {map[string]string{"TELEGRAM_ENABLED": "false # s3creto"}, true},
		"a choice":            {map[string]string{"CACHE_PROVIDER": "redis # s3creto"}, true},
		"a zone":              {map[string]string{"CCM_TIMEZONE": "America/Lima # s3creto"}, true},
		"a chat":              {map[string]string{"TELEGRAM_CHAT_ID": "-1001234567890 # s3creto"}, true},
		"a token":             {map[string]string{"TELEGRAM_BOT_TOKEN": token + " # s3creto", "TELEGRAM_CHAT_ID": "1"}, true},
		"in lower case":       {map[string]string{"rama_actual": "14 # s3creto"}, true},
		"a hash of its own":   {map[string]string{"RAMA_ACTUAL": "14#s3creto"}, false},
		"no hash":             {map[string]string{"RAMA_ACTUAL": "s3creto"}, false},
		"another's fault":     {map[string]string{"RAMA_ACTUAL": "s3creto", "DB_PASSWORD": "a # b", "DB_HOST": "h", "DB_USER": "u", "DB_NAME": "n"}, false},
		"a password that has": {map[string]string{"CACHE_PROVIDER": "redis", "REDIS_URL": "redis://:s3creto@h", "REDIS_PASSWORD": "s3creto # 1"}, false},
		"twice the same":      {map[string]string{"DATABASE_URL": "s3creto # 1", "DATABASE_URL_FILE": "/x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := ccm.ParseEnv(lookup(c.env))
			is.True(err != nil)
			is.Equal(strings.HasSuffix(err.Error(), asks), c.asks)
			is.True(!strings.Contains(err.Error(), "s3creto"))
		})
	}
}

// TestSettingsAreThoseThatAreRead holds the list of the tables against the code.
func TestSettingsAreThoseThatAreRead(t *testing.T) {
	is := is.New(t)
	read := map[string]bool{}
	for _, env := range []map[string]string{{}, {"CACHE_PROVIDER": "redis"}} {
		_, _ = ccm.ParseEnv(func(name string) (string, bool) {
			if upper := strings.ToUpper(name); upper == name {
				read[strings.TrimSuffix(name, "_FILE")] = true
			}
			v, ok := env[name]
			return v, ok
		})
	}
	var listed []string
	for _, s := range ccm.Settings() {
		listed = append(listed, s.Name)
		is.True(s.Doc != "" && s.Spanish != "")
		is.True(!s.Secret || s.Default == "")
		delete(read, s.Name)
	}
	is.Equal(len(read), 0) // read and not listed
	is.Equal(len(slices.Compact(slices.Sorted(slices.Values(listed)))), len(listed))
}

func FuzzParseEnvShowsNoValue(f *testing.F) {
	f.Add("DATABASE_URL", "mysql://u:s3creto@h/d")
	f.Add("REDIS_URL", "redis://:s3creto@%zz")
	f.Add("REDIS_PASSWORD", "s3creto")
	f.Add("TELEGRAM_BOT_TOKEN", "1:s3creto")
	f.Add("CCM_JOURNAL_URL", "mysql://u:s3creto@h:x/d")
	f.Add("TELEGRAM_API_URL", "http://s3creto\x7f")
	f.Fuzz(func(t *testing.T, name, value string) {
		const secret = "s3creto"
		if !strings.Contains(value, secret) {
			value += secret
		}
		_, err := ccm.ParseEnv(lookup(map[string]string{name: value, "CACHE_PROVIDER": "redis"}))
		if err != nil && strings.Contains(err.Error(), secret) && !strings.HasSuffix(name, "_FILE") && !strings.HasSuffix(name, "_file") {
			t.Errorf("%s=%q: %v", name, value, err)
		}
	})
}
