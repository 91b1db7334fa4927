package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

var (
	noHost   = &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "db", Server: "127.0.0.11:53", IsNotFound: true}}
	noDNS    = &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: "db", IsTimeout: true}}
	refused  = &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 3306}, Err: syscall.ECONNREFUSED}
	noRoute  = &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 3306}, Err: syscall.EHOSTUNREACH}
	unlisted = &mysql.MySQLError{Number: 1040, Message: "Too many connections"}
)

func answered(number uint16, message string) error {
	return store.Classify("ping", &mysql.MySQLError{Number: number, Message: message})
}

// TestFaultsNameTheSettingAndTheCure holds what an operator reads first.
func TestFaultsNameTheSettingAndTheCure(t *testing.T) {
	bot := telegram.Config{BaseURL: "http://bot-api:8081"}
	to := ccm.Config{Telegram: bot}
	for name, c := range map[string]struct {
		found finding
		says  []string
	}{
		"database: no host":       {databaseFault("", store.Classify("ping", noHost)), []string{"no se encuentra el host «db»", "DATABASE_URL o en los ajustes DB_", "misma red"}},
		"database: no DNS":        {databaseFault("", store.Classify("ping", noDNS)), []string{"el DNS no contesta por el host «db»", "DATABASE_URL"}},
		"database: refused":       {databaseFault("", store.Classify("ping", refused)), []string{"nadie escucha en 10.0.0.5:3306", "el host y el puerto en DATABASE_URL"}},
		"database: no route":      {databaseFault("", store.Classify("ping", noRoute)), []string{"no hay camino hasta el host 10.0.0.5:3306", "DATABASE_URL"}},
		"database: silence":       {databaseFault("", store.Classify("ping", context.DeadlineExceeded)), []string{"no responde a tiempo", "cortafuegos", "DATABASE_URL"}},
		"database: full":          {databaseFault("", store.Classify("ping", unlisted)), []string{"no se alcanza", "Too many connections", "DATABASE_URL"}},
		"database: password":      {databaseFault("", answered(1045, "Access denied")), []string{"rechaza al usuario", "DATABASE_URL"}},
		"database: unknown":       {databaseFault("", answered(1049, "Unknown database")), []string{"no existe", "DATABASE_URL"}},
		"Redis: no host":          {redisFault("", "redis:6379", noHost), []string{"Redis no se alcanza: no se encuentra el host", "REDIS_URL"}},
		"Redis: refused":          {redisFault("", "redis:6379", fmt.Errorf("dial: %w", syscall.ECONNREFUSED)), []string{"nadie escucha en redis:6379", "REDIS_URL"}},
		"Redis: wrong password":   {redisFault("", "", errors.New("WRONGPASS invalid username-password pair or user is disabled.")), []string{"rechaza al usuario o su contraseña", "REDIS_URL o en REDIS_PASSWORD"}},
		"Redis: no password":      {redisFault("", "", errors.New("NOAUTH Authentication required.")), []string{"pide una contraseña", "REDIS_PASSWORD"}},
		"Redis: one too many":     {redisFault("", "", errors.New("ERR AUTH <password> called without any password configured for the default user.")), []string{"no tiene contraseña", "REDIS_PASSWORD"}},
		"Redis: no right":         {redisFault("", "", errors.New("NOPERM User ccm has no permissions to run the 'set' command\nNOPERM x")), []string{"le falta un permiso", "REDIS_URL", "&ccm:*", "+publish +subscribe", "command; NOPERM"}},
		"Redis: no right inside":  {redisFault("", "", errors.New("ERR ACL failure in script: User ccm has no permissions to run the 'pexpire' command")), []string{"le falta un permiso", "+pexpire"}},
		"Redis: replica":          {redisFault("", "", errors.New("READONLY You can't write against a read only replica.")), []string{"réplica", "REDIS_URL"}},
		"Redis: no such number":   {redisFault("", "", errors.New("ERR DB index is out of range")), []string{"REDIS_URL"}},
		"Redis: no memory":        {redisFault("", "", errors.New("OOM command not allowed when used memory > 'maxmemory'.")), []string{"no le queda memoria", "allkeys-lru"}},
		"Redis: its authority":    {redisFault("", "", errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")), []string{"certificado", "SSL_CERT_FILE"}},
		"Redis: TLS of a plain":   {redisFault("", "", errors.New("tls: first record does not look like a TLS handshake")), []string{"no usa TLS", "redis://"}},
		"Redis: no TLS":           {redisFault("", "", errors.New("EOF")), []string{"corta la conexión", "rediss://"}},
		"Redis: no Sentinel":      {redisFault("", "", errors.New("redis: all sentinels specified in configuration are unreachable: ERR unknown command 'sentinel', with args")), []string{"master_name="}},
		"Redis: another's master": {redisFault("", "", errors.New("redis: all sentinels specified in configuration are unreachable: redis: nil")), []string{"no conocen", "master_name="}},
		"Redis: no Cluster":       {redisFault("", "", errors.New("ERR This instance has cluster support disabled")), []string{"quite addr="}},
		"Redis: something else":   {redisFault("", "", errors.New("ERR what")), []string{"REDIS_URL", "rediss://", "ERR what"}},
		"bot: wrong token":        {botFault(bot, &telegram.Error{Code: 401, Description: "Unauthorized", Outcome: telegram.Refused}), []string{"no reconoce el token", "@BotFather", "TELEGRAM_BOT_TOKEN"}},
		"bot: a file gone bad":    {botFault(bot, &telegram.Error{Outcome: telegram.NotSent, Err: telegram.ErrInvalid}), []string{"TELEGRAM_BOT_TOKEN_FILE"}},
		"bot: no Bot API":         {botFault(bot, &telegram.Error{Code: 404, Outcome: telegram.Uncertain, Err: errors.New("not the Bot API's")}), []string{"no es la Bot API (estado 404)", "TELEGRAM_API_URL"}},
		"bot: no host":            {botFault(bot, &telegram.Error{Outcome: telegram.NotSent, Err: errors.New("dial tcp: lookup bot-api: no such host")}), []string{"no se encuentra el host «bot-api:8081»", "TELEGRAM_API_URL"}},
		"bot: no host of its own": {botFault(telegram.Config{}, &telegram.Error{Outcome: telegram.NotSent, Err: noHost}), []string{"no se encuentra el host", "salida a Internet"}},
		"bot: refused":            {botFault(bot, &telegram.Error{Outcome: telegram.NotSent, Err: syscall.ECONNREFUSED}), []string{"nadie escucha en bot-api:8081", "TELEGRAM_API_URL"}},
		"bot: something else":     {botFault(bot, errors.New("x509: unknown authority")), []string{"TELEGRAM_API_URL", "x509"}},
		"chat: not found":         {chatFault(to, &telegram.Error{Code: 400, Description: "Bad Request: chat not found", Outcome: telegram.Refused}), []string{"el bot no lo encuentra", "TELEGRAM_CHAT_ID"}},
		"chat: no way there":      {chatFault(to, &telegram.Error{Outcome: telegram.NotSent, Err: syscall.ECONNREFUSED}), []string{"nadie escucha", "TELEGRAM_API_URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(c.found.Status, failed)
			is.True(len(c.found.Fix) > 0)
			all := c.found.Detail + " → " + strings.Join(c.found.Fix, "; ")
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("%q does not say %q", all, want)
				}
			}
			is.True(!strings.Contains(all, "\n"))
		})
	}
}

// finds is a dependency of which such a thing is found.
func finds(f finding) dependency {
	return dependency{do: func(_ context.Context, e *examination, _ ccm.Config) { e.add(f) }}
}

func TestStartTellsWhatDoctorFinds(t *testing.T) {
	for name, c := range map[string]struct {
		found finding
		level string // "": only that all is well
	}{
		"fine":              {finding{Status: fine, Fix: []string{"x"}}, ""},
		"a fault":           {finding{Status: failed, Fix: []string{"haga esto", "o esto"}}, "WARNING"},
		"a warning":         {finding{Status: warned}, "WARNING"},
		"advice":            {finding{Status: warned, advice: true}, "INFO"},
		"off, as one likes": {finding{Status: off}, ""},
		"off, and it is":    {finding{Status: off, Fix: []string{"ponga"}}, "WARNING"},
		"odd in the URL":    {finding{Name: findingURL, Status: warned}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var log bytes.Buffer
			c.found.Detail = "un detalle"
			examineAtStart(t.Context(), newLogger(&log, levels["INFO"], nil), []dependency{finds(c.found)}, serviceConfig{})
			well := lines(t, &log, "dependencias comprobadas")
			is.Equal(len(well) == 1, c.level != "WARNING")
			told := strings.Contains(log.String(), `"detalle":"un detalle"`)
			is.Equal(told, c.level != "")
			if told {
				is.True(strings.Contains(log.String(), `"nivel":"`+c.level))
				is.True(strings.Contains(log.String(), `"etapa":"arranque"`))
				is.True(strings.Contains(log.String(), `"arreglo":"`+strings.Join(c.found.Fix, "; ")))
			}
		})
	}
}

func TestStartThatIsCutOffTellsNothing(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	cut := dependency{do: func(_ context.Context, e *examination, _ ccm.Config) {
		cancel()
		e.add(finding{Status: failed})
	}}
	never := dependency{do: func(context.Context, *examination, ccm.Config) { t.Error("it went on") }}
	examineAtStart(ctx, newLogger(&log, levels["DEBUG"], nil), []dependency{cut, never}, serviceConfig{})
	is.Equal(log.String(), "")
}

func TestRightToWriteIsNoFaultWhereItMigrates(t *testing.T) {
	for migrates, want := range map[bool]verdict{false: warned, true: fine} {
		e := examination{migrates: migrates}
		e.rights(store.Inspection{CanWrite: true, TLS: true})
		is.New(t).Equal(e.findings[0].Status, want)
	}
}

func TestRightToWriteIsWhatTheLoadNeeds(t *testing.T) {
	for writes, want := range map[bool]verdict{false: warned, true: fine} {
		e := examination{drive: driveConfig{folder: "carpeta"}}
		e.rights(store.Inspection{CanWrite: writes, TLS: true})
		is.New(t).Equal(e.findings[0].Status, want)
	}
}

func TestUnreadableEnvFileSaysTheCure(t *testing.T) {
	is := is.New(t)
	denied := unreadable("/config/.env", &fs.PathError{Op: "open", Err: syscall.EACCES})
	is.Equal(denied.Error(), "no hay permiso de leer el archivo de ajustes /config/.env: si es de un contenedor, en el host, chmod 644, y sus secretos en archivos (NOMBRE_FILE)")
	folder := unreadable(".env", &fs.PathError{Op: "read", Err: syscall.EISDIR})
	is.True(strings.Contains(folder.Error(), "es un directorio: Docker lo crea cuando el archivo del host no existe"))
	is.True(strings.Contains(unreadable(".env", syscall.EIO).Error(), "revise el archivo y su montaje"))
}

func TestWhatRunsBesideTheServiceEndsWithIt(t *testing.T) {
	is := is.New(t)
	var ended bool
	s := &server{beside: []func(context.Context){func(ctx context.Context) {
		<-ctx.Done()
		ended = true
	}}}
	s.startBeside(t.Context())()
	is.True(ended)
}
