package main

import (
	"errors"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

// The names of the settings of the process itself, and of one that it looks at.
const (
	envTelegram   = "TELEGRAM_ENABLED" // the library's
	envMigrate    = "CCM_MIGRATE"
	envHost       = "API_HOST"
	envPort       = "API_PORT"
	envLogLevel   = "LOG_LEVEL"
	envLogFile    = "LOG_FILE_PATH"
	envLogSize    = "LOG_MAX_FILE_SIZE"
	envLogBackups = "LOG_BACKUP_COUNT"
)

const (
	defaultHost = "0.0.0.0"
	defaultPort = 8000
	mebibyte    = 1 << 20
	defaultSize = 10 * mebibyte
	defaultKept = 30
)

// processSettings lists the settings of the process in the order of the table.
func processSettings() []ccm.Setting {
	return []ccm.Setting{
		{Name: envMigrate, Default: "false", Doc: "`serve` first makes or completes the reference schema and the journal's, as `ccm-api migrate up` does; a database that is not ours is left alone.", Spanish: "serve crea o completa antes el esquema de referencia y el del diario, como «ccm-api migrate up»; una base ajena no se toca."},
		{Name: envDriveFolder, Doc: "The Drive folder of the weekly workbooks, its id or its address; `ccm-api google check` and `doctor` look whether it is seen.", Spanish: "La carpeta de Drive de los libros de cada semana, su identificador o su dirección; «ccm-api google check» y doctor miran si se ve."},
		{Name: envDriveURL, Default: defaultDriveURL, Doc: "The address of the Drive API, to try things on a fake.", Spanish: "La dirección de la API de Drive, para probar con una de mentira."},
		{Name: envHost, Default: defaultHost, Doc: "The address to listen on.", Spanish: "La dirección en que escucha."},
		{Name: envPort, Default: strconv.Itoa(defaultPort), Doc: "The port to listen on.", Spanish: "El puerto en que escucha."},
		{Name: envLogLevel, Default: "INFO", Doc: "The lowest level of the log: DEBUG, INFO, WARNING, ERROR or CRITICAL.", Spanish: "El nivel mínimo de los registros: DEBUG, INFO, WARNING, ERROR o CRITICAL."},
		{Name: envLogFile, Doc: "A file that gets the log beside stdout; it is rotated daily and by size. Each process has its own: `ccm.log`, `ccm-2.log` and so on to 16.", Spanish: "Un archivo al que van los registros además de a la salida; cambia cada día y por tamaño. Cada proceso tiene el suyo: ccm.log, ccm-2.log… hasta 16."},
		{Name: envLogSize, Default: "10MB", Doc: "The largest size of that file: `10485760` (bytes), `500KB` or `10MB`.", Spanish: "El tamaño máximo de ese archivo: «10485760» (bytes), «500KB» o «10MB»."},
		{Name: envLogBackups, Default: strconv.Itoa(defaultKept), Doc: "How many earlier files are kept, compressed, for 30 days at most.", Spanish: "Cuántos archivos anteriores se guardan, comprimidos y 30 días a lo más."},
	}
}

// allSettings are the settings of the whole service, in the order of the table.
func allSettings() []ccm.Setting {
	return slices.Concat(ccm.Settings(), httpapi.Settings(), processSettings())
}

// processConfig is what the process itself needs to know.
type processConfig struct {
	migrate bool // before it serves
	drive   driveConfig
	host    string
	port    int
	level   slog.Level
	logFile string // "": stdout only
	logSize int    // of logFile, in bytes
	logKept int    // earlier files
}

// levels are the names of LOG_LEVEL, from Python's logging.
var levels = map[string]slog.Level{
	"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "WARN": slog.LevelWarn,
	"ERROR": slog.LevelError, "CRITICAL": levelCritical,
}

func parseProcess(lookup func(string) (string, bool)) (processConfig, error) {
	env := ccm.NewEnv(lookup)
	cfg := processConfig{
		migrate: env.Bool(envMigrate, false),
		drive:   parseDrive(env),
		host:    env.String(envHost, defaultHost),
		port:    env.Int(envPort, defaultPort, 0, math.MaxUint16),
		level:   levels[env.OneOf(envLogLevel, "INFO", "DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL")],
		logFile: env.String(envLogFile, ""),
		logSize: parseSize(env),
		logKept: env.Int(envLogBackups, defaultKept, 1, 10_000),
	}
	return cfg, env.Err()
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,12}) ?(|B|K|KB|KIB|M|MB|MIB|G|GB|GIB)$`)

// parseSize reads a size in bytes, or with its unit.
func parseSize(env *ccm.Env) int {
	text := strings.ToUpper(env.String(envLogSize, strconv.Itoa(defaultSize)))
	found := sizeForm.FindStringSubmatch(text)
	if found == nil {
		env.Fail(envLogSize, "debe ser un tamaño como «10485760» (bytes), «500KB» o «10MB»")
		return defaultSize
	}
	n, _ := strconv.Atoi(found[1]) // twelve digits at most
	n <<= 10 * strings.IndexByte("BKMG", (found[2] + "B")[0])
	if n < 1<<10 || n > 1<<40 {
		env.Fail(envLogSize, "debe ser de 1KB a 1024GB")
		return defaultSize
	}
	return n
}

// serviceConfig is everything that serve needs.
type serviceConfig struct {
	library ccm.Config
	api     httpapi.Config
	process processConfig
}

// service reads all settings, and names all their faults at once.
func (a *app) service() (serviceConfig, error) {
	var cfg serviceConfig
	var faults [4]error
	cfg.library, faults[0] = ccm.ParseEnv(a.lookup)
	cfg.api, faults[1] = httpapi.ParseEnv(a.lookup)
	cfg.process, faults[2] = parseProcess(a.lookup)
	faults[3] = a.spelledTwice(allSettings())
	cfg.api.Version = version()
	if cfg.process.migrate && cfg.library.Store.URL+cfg.library.JournalURL == "" && !blames(faults[0], "DATABASE_URL", "DB_", "CCM_JOURNAL_URL") {
		faults[2] = errors.Join(faults[2], errors.New(envMigrate+": falta DATABASE_URL (o DB_HOST, DB_USER, DB_PASSWORD y DB_NAME), que dice qué base de datos migrar"))
	}
	if a.nothingToServe(cfg.library, faults[0]) {
		faults[2] = errors.Join(faults[2], errNothingToServe)
	}
	if err := errors.Join(faults[:]...); err != nil {
		return cfg, settingsError{err}
	}
	return cfg, nil
}

// errNothingToServe is the fault of settings that were mostly never read.
var errNothingToServe = errors.New("DATABASE_URL y TELEGRAM_BOT_TOKEN: faltan los dos, y sin ellos no hay nada que servir: " +
	"¿falta el archivo .env? (docker/ejemplo.env es uno para empezar; docker compose --profile dev up lo prueba todo sin ajustes)")

// nothingToServe reports whether there is neither a database nor a bot, and
// nobody said that this is meant. One that is wrong is not missing.
func (a *app) nothingToServe(cfg ccm.Config, faults error) bool {
	return cfg.Store.URL == "" && cfg.Telegram.Token+cfg.Telegram.TokenFile == "" &&
		!blames(faults, "DATABASE_URL", "DB_", envTelegram, "TELEGRAM_BOT_TOKEN") && ccm.NewEnv(a.lookup).Bool(envTelegram, true)
}

// blames reports whether one of the faults, a line each, is of a setting whose
// name begins so.
func blames(faults error, names ...string) bool {
	if faults == nil {
		return false
	}
	for line := range strings.SplitSeq(faults.Error(), "\n") {
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(line, name) }) {
			return true
		}
	}
	return false
}

// library reads the settings of the library alone: tools need no others.
func (a *app) library() (ccm.Config, error) {
	cfg, err := ccm.ParseEnv(a.lookup)
	if err = errors.Join(err, a.spelledTwice(ccm.Settings())); err != nil {
		return cfg, settingsError{err}
	}
	cfg.Logger = a.toolLogger()
	return cfg, nil
}

// open is the Client that a tool works with. The caller closes it.
func (a *app) open() (*ccm.Client, error) {
	cfg, err := a.library()
	if err != nil {
		return nil, err
	}
	return ccm.Open(cfg)
}
