package ccm

import (
	"cmp"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// ParseEnv reads the library's settings (see [Settings]) with a function such as
// os.LookupEnv. Its error joins all faults, one a line, in Spanish; each names
// its setting and none shows a value. Nothing is dialled, but the files of
// NAME_FILE settings are read.
//
// DATABASE_URL counts before DB_HOST and its like. Without any of them, and
// without TELEGRAM_BOT_TOKEN, the Config is sound and can only render. Journal
// (see Config.JournalURL), Logger and Now are the caller's to fill in.
func ParseEnv(lookup func(string) (string, bool)) (Config, error) {
	e := NewEnv(lookup)
	cfg := Config{
		Location: parseZone(e),
		Branch:   e.Int(envBranch, 0, 0, MaxBranch),
		Branches: parseBranches(e),
		Store:    parseStore(e),
		Cache:    parseCache(e),
		Google:   oauth.Config{File: e.String(envGoogleFile, ""), TokenFile: e.String(envGoogleToken, ""), Scopes: []string{oauth.DriveReadonly}},
		// 0 is a word of its own here, and in Config it is the default.
		Fresh:    orNegative(e.Duration(envFresh, DefaultFresh, time.Minute, 0, 24*60)),
		MaxStale: orNegative(e.Duration(envStale, DefaultMaxStale, time.Hour, 0, 30*24)),
	}
	if status := split(e.String(envStatus, "")); len(status) > 0 {
		cfg.BirthdayStatus = status
	}
	cfg.Telegram, cfg.Chat = parseTelegram(e)
	cfg.AlertChat = parseChat(e, envAlertChat)
	cfg.JournalURL = parseJournal(e, cfg.Store.URL)
	cfg.JournalRetention = time.Duration(e.Int(envJournalDays, defaultJournalDays, 1, 365)) * 24 * time.Hour
	return cfg, e.Err()
}

func orNegative(d time.Duration) time.Duration { return cmp.Or(d, -1) }

func parseZone(e *Env) *time.Location {
	name := e.String(envZone, DefaultZone)
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		e.Fail(envZone, "no es una zona horaria que se conozca aquí; un ejemplo: %s", DefaultZone)
		return nil
	}
	return zone
}

// split reads a list as «14,9», «[14, 9]» or «["14", "9"]».
func split(list string) []string {
	var parts []string
	list = strings.TrimSuffix(strings.TrimPrefix(list, "["), "]")
	for part := range strings.SplitSeq(list, ",") {
		if part = unquote(strings.TrimSpace(part)); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func parseBranches(e *Env) []int {
	var branches []int
	for i, part := range split(e.String(envBranches, "")) {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || n < 1 {
			e.Fail(envBranches, "el elemento %d no es un número de rama; la forma es «14,9» o «[14, 9]»", i+1)
			continue
		}
		branches = append(branches, int(n))
	}
	return branches
}

func parseStore(e *Env) store.Config {
	cfg := store.Config{URL: e.String(envDatabaseURL, "")}
	if e.OneOf(envFeb29, feb28, feb28, mar1) == mar1 {
		cfg.Feb29 = time.March
	}
	setting := envDatabaseURL
	if cfg.URL == "" {
		cfg.URL, setting = databaseParts(e), envDBHost
	}
	if cfg.URL == "" {
		return cfg
	}
	db, err := store.Open(cfg)
	if err != nil {
		e.Fail(setting, "no sirve para abrir la base de datos; la forma es «mysql://usuario:contraseña@host:3306/base» (%v)", err)
		return cfg
	}
	db.Close() // nothing was dialled
	return cfg
}

// databaseParts makes a URL of the DB_ settings; "" if there are none.
func databaseParts(e *Env) string {
	host, user, name := e.String(envDBHost, ""), e.String(envDBUser, ""), e.String(envDBName, "")
	password := e.String(envDBPassword, "")
	port := e.Int(envDBPort, defaultMySQLPort, 1, math.MaxUint16)
	if host+user+name+password == "" {
		return ""
	}
	whole := true
	for _, s := range []struct{ name, value string }{{envDBHost, host}, {envDBUser, user}, {envDBName, name}} {
		if s.value == "" {
			e.Missing(s.name, "falta: hacen falta %s, %s y %s, o bien %s", envDBHost, envDBUser, envDBName, envDatabaseURL)
			whole = false
		}
	}
	if !whole {
		return ""
	}
	return store.URL(user, password, host, port, name)
}

func parseCache(e *Env) cache.Config {
	if e.OneOf(envCacheProvider, cacheMemory, cacheMemory, cacheRedis) == cacheMemory {
		return cache.Config{}
	}
	cfg := cache.Config{URL: e.String(envRedisURL, "")}
	password := e.String(envRedisPassword, "")
	if cfg.URL == "" {
		e.Missing(envRedisURL, "falta, y %s es %s; la forma es «redis://host:6379/0»", envCacheProvider, cacheRedis)
		return cfg
	}
	if password != "" {
		cfg.URL = withPassword(e, cfg.URL, password)
	}
	backend, err := cache.Open(cfg)
	if err != nil {
		e.Fail(envRedisURL, "no sirve; la forma es «redis://:contraseña@host:6379/0», o rediss:// con TLS; una contraseña con signos (# / %% ? @) va tal cual en %s, o en la URL con ellos codificados (# es %%23)", envRedisPassword)
		return cfg
	}
	backend.Close() // nothing was dialled
	return cfg
}

// withPassword puts REDIS_PASSWORD into REDIS_URL, so that one mounted secret
// serves Redis and its clients alike.
func withPassword(e *Env, address, password string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // cache.Open says what is wrong with it
	}
	if old, _ := u.User.Password(); old != "" {
		e.fault(envRedisPassword, "%s ya lleva una contraseña: quítela de allí (la forma es «redis://usuario@host:6379/0»), o quite %s", envRedisURL, envRedisPassword)
		return address
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}

func parseTelegram(e *Env) (telegram.Config, telegram.Target) {
	cfg := telegram.Config{
		BaseURL: e.String(envTelegramURL, ""),
		Timeout: e.Duration(envTelegramTimeout, defaultTelegramWait, time.Second, 1, 300),
	}
	if cfg.BaseURL != "" {
		if _, err := telegram.New(telegram.Config{Token: someToken, BaseURL: cfg.BaseURL}); err != nil {
			e.Fail(envTelegramURL, "debe ser una dirección http:// o https:// sin usuario ni parámetros, como %s", defaultTelegramURL)
		}
	}
	to := parseChat(e, envTelegramChat)
	cfg.Token, cfg.TokenFile = e.raw(envTelegramToken)
	if !e.Bool(envTelegramOn, cfg.Token+cfg.TokenFile != "") {
		cfg.Token, cfg.TokenFile = "", ""
		return cfg, to
	}
	if to.Chat == "" {
		e.Missing(envTelegramChat, "falta: dice a qué chat se envía; %s=false apaga los envíos", envTelegramOn)
	}
	checkToken(e, cfg.Token, cfg.TokenFile)
	return cfg, to
}

func parseChat(e *Env, name string) telegram.Target {
	to := telegram.Target{Chat: e.String(name, "")}
	if to.Chat != "" && to.Check() != nil {
		e.Fail(name, "debe ser un número como -1001234567890, o un nombre como @canal")
	}
	return to
}

// parseJournal reads where the journal is. It must not be in the schema of the
// database, which may be somebody else's.
func parseJournal(e *Env, database string) string {
	journal := e.String(envJournalURL, "")
	if journal == "" {
		return ""
	}
	db, err := store.Open(store.Config{URL: journal})
	if err != nil {
		e.Fail(envJournalURL, "no sirve para abrir el diario; la forma es «mysql://usuario:contraseña@host:3306/ccm_diario» (%v)", err)
		return journal
	}
	defer db.Close() // nothing was dialled
	if other, err := store.Open(store.Config{URL: database}); err == nil {
		defer other.Close()
		if db.Identity() == other.Identity() {
			e.Fail(envJournalURL, "nombra la misma base de datos que %s: el diario va en un esquema propio, como ccm_diario", envDatabaseURL)
		}
	}
	return journal
}

// someToken has the form of a token, to check the rest of a telegram.Config.
const someToken = "1:0123456789abcdefghij0123456789abcde"

// checkToken checks the form of a token, or of the one in a file.
func checkToken(e *Env, token, file string) {
	if token+file == "" {
		e.Missing(envTelegramToken, "falta: lo da @BotFather; %s=false apaga los envíos", envTelegramOn)
		return
	}
	if file != "" {
		token = e.readFile(envTelegramToken, file)
	}
	if token == "" {
		return // readFile said why
	}
	if _, err := telegram.New(telegram.Config{Token: token}); err != nil {
		e.Fail(envTelegramToken, "no tiene la forma de un token (cifras, dos puntos y 20 o más letras, cifras, - o _): cópielo otra vez de @BotFather")
	}
}
