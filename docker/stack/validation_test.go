package stack_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

var writeAnew = flag.Bool("update", false, "write docs/validacion.md anew")

// validationPage is where the results of TestValidacion go.
const validationPage = "../../docs/validacion.md"

// scenario is something that happens to a running stack, and what must come of it.
type scenario struct {
	name string          // as in the table: Spanish
	do   func(v *victim) // brings it about; nil: nothing is wrong
	undo func(v *victim) // and ends it; nil: nothing to end

	// The request that is made meanwhile, and its answer.
	path, body string
	status     int
	code       string            // error_code; "": success
	also       func(answer) bool // what else the answer must say; nil: nothing
	log        string            // a regular expression that a line of ccm-api's log matches; "": none
	within     time.Duration     // what the contract allows for the answer
	mark       string            // ✅ as if nothing were wrong, ⚠️ it works with less, ℹ️ refused, with its reason
}

// row is a line of the table.
type row struct{ mark, name, request, answer, log, took string }

// TestValidacion makes the parts of a running stack die, hang and come back, and
// asks for reports meanwhile. `CCM_STACK_TESTS=1 go test ./docker/stack -run Validacion -update`
// writes what it saw into docs/validacion.md.
func TestValidacion(t *testing.T) {
	s := newStack(t, "--profile", "dev")
	// None of these is a name that the sandbox takes for a real setting.
	s.write(".env", "TELEGRAM_TIMEOUT_SECONDS=2\nCCM_HTTP_TIMEOUT_SECONDS=20\nLOG_LEVEL=DEBUG\nGOOGLE_APPLICATION_CREDENTIALS=/google/no-hay.json\n")
	began := time.Now()
	s.up()
	v := &victim{stack: s}
	rows := []row{{"✅", "arranque de la pila", "docker compose --profile dev up --wait", "los cuatro contenedores sanos", "servicio listo", took(time.Since(began))}}
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			v.tb = t
			rows = append(rows, v.suffer(t, c))
		})
	}
	for _, c := range lives {
		t.Run(c.name, func(t *testing.T) {
			v.tb = t
			if c.undo != nil {
				defer c.undo(v)
			}
			began := time.Now()
			said := c.live(t, v)
			if c.log != "" && !regexp.MustCompile(c.log).MatchString(v.logs("ccm-api")) {
				t.Errorf("no line of the log matches %s", c.log)
			}
			rows = append(rows, row{c.mark, c.name, c.doing, said, c.log, took(time.Since(began))})
		})
	}
	v.tb = t
	if t.Failed() {
		return
	}
	page := validationText(rows)
	if *writeAnew {
		is.New(t).NoErr(os.WriteFile(validationPage, []byte(page), 0o644))
	}
	written, err := os.ReadFile(validationPage)
	is.New(t).NoErr(err)
	if !equalButMeasures(string(written), page) {
		t.Error("docs/validacion.md is not what was seen: CCM_STACK_TESTS=1 go test ./docker/stack -run Validacion -update")
	}
}

// suffer brings a scenario about, asks, and puts everything right again.
func (v *victim) suffer(t *testing.T, c scenario) row {
	is := is.New(t)
	since := time.Now()
	if c.do != nil {
		c.do(v)
	}
	if c.undo != nil {
		defer c.undo(v) // also after a failure: the next scenario is of another fault
	}
	began := time.Now()
	status, a := v.post(c.path, c.body)
	duration := time.Since(began)
	is.Equal(status, c.status)
	is.Equal(a.ErrorCode, c.code)
	is.True(c.also == nil || c.also(a))
	if duration > c.within {
		t.Errorf("the answer took %v; the contract allows %v", duration, c.within)
	}
	if c.log != "" {
		wanted := regexp.MustCompile(c.log)
		eventually(t, "log line "+c.log, func() bool { return wanted.MatchString(v.logsSince(since)) })
	}
	said := fmt.Sprint(status)
	switch {
	case a.ErrorCode != "" && a.Uncertain:
		said += " " + a.ErrorCode + ", incierta"
	case a.ErrorCode != "":
		said += " " + a.ErrorCode
	case a.Cache != nil && a.Cache.Stale:
		said += ", datos anteriores, marcados"
	}
	return row{c.mark, c.name, "POST " + c.path, said, c.log, took(duration)}
}

// took is a duration as the table shows it.
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strings.ReplaceAll(fmt.Sprintf("%.1f s", d.Seconds()), ".", ",")
}

const validationHead = `# Validación en contenedores

Lo que se vio al hacer fallar, una a una, las partes de la pila construida: la imagen de ccm-api, un Redis 8 y un MySQL 9.7 de verdad, personas inventadas y un Telegram de prueba.
Lo escribe la propia prueba, que falla si algo de esto deja de ser así:

` + "```sh" + `
CCM_STACK_TESTS=1 go test ./docker/stack -run Validacion -update
` + "```" + `

Medido el %s en %s. Los tiempos son de esa máquina; sin registro de imágenes, las de Redis y MySQL son las que docker/bases hace con paquetes de Debian.

✅ como si nada · ⚠️ atiende con menos, y lo dice · ℹ️ se niega, y dice por qué. «Registro» es lo que dice una línea de ccm-api, como expresión regular.

| | caso | petición | respuesta | registro | tiempo |
|---|---|---|---|---|---|
`

func validationText(rows []row) string {
	var b strings.Builder
	engine := "Docker"
	if out, err := dockerOutput("version", "--format", "Docker {{.Server.Version}}, {{.Server.Os}}/{{.Server.Arch}}"); err == nil {
		engine = strings.TrimSpace(out)
	}
	fmt.Fprintf(&b, validationHead, time.Now().Format(time.DateOnly), engine)
	for _, r := range rows {
		log := "—"
		if r.log != "" {
			log = "`" + strings.ReplaceAll(r.log, "|", `\|`) + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %s | %s |\n", r.mark, r.name, r.request, r.answer, log, r.took)
	}
	return b.String()
}

// measures are what may differ from run to run: times, the date, the machine.
var measures = regexp.MustCompile(`[0-9]+(,[0-9]+)? m?s \||[0-9]+(,[0-9]+)? MB|Medido el .*`)

func equalButMeasures(a, b string) bool {
	return measures.ReplaceAllString(a, "") == measures.ReplaceAllString(b, "")
}

func isStale(a answer) bool  { return a.Cache != nil && a.Cache.Stale }
func isMemory(a answer) bool { return a.Cache != nil && a.Cache.Source == "memory" }
func sure(a answer) bool     { return !a.Uncertain }
func doubtful(a answer) bool { return a.Uncertain }

const (
	dry     = `{"dry_run": true}`
	refresh = `{"dry_run": true, "force_refresh": true}`
	notice  = `{"title": "Prueba", "body": "Algo falló", "level": "error"}`
)

var scenarios = []scenario{
	{name: "próximos ingresos", path: arrivals, body: `{"days_ahead": 60}`, status: http.StatusOK, log: `"mensaje":"petición atendida".*"route":"/telegram/proximos-ingresos"`, within: fast, mark: "✅"},
	{name: "próximos cumpleaños", path: birthdays, body: `{"days_ahead": 90}`, status: http.StatusOK, log: `"mensaje":"petición atendida".*"route":"/telegram/proximos-cumpleanos"`, within: fast, mark: "✅"},
	{name: "alerta", path: alert, body: notice, status: http.StatusOK, log: `"mensaje":"petición atendida".*"route":"/telegram/alerta"`, within: fast, mark: "✅"},

	{name: "Redis muere", do: stop("redis"), path: arrivals, body: `{"dry_run": true, "days_ahead": 31}`, status: http.StatusOK, also: fresh, log: `"nivel":"WARNING".*Redis falla`, within: fast, mark: "⚠️"},
	{name: "Redis sigue caído: atiende la memoria", path: arrivals, body: `{"dry_run": true, "days_ahead": 31}`, status: http.StatusOK, also: isMemory, within: fast, mark: "⚠️"},
	{name: "no hay Redis al arrancar", do: restart, path: arrivals, body: `{"dry_run": true, "days_ahead": 35}`, status: http.StatusOK, also: fresh, log: `"nivel":"WARNING".*"revisar":"caché"`, within: fast, mark: "⚠️"},
	{name: "Redis vuelve", do: start("redis"), path: arrivals, body: dry, status: http.StatusOK, log: `"nivel":"INFO".*Redis responde de nuevo`, within: fast, mark: "✅"},
	{name: "Redis se cuelga", do: pause("redis"), undo: unpause("redis"), path: arrivals, body: `{"dry_run": true, "days_ahead": 32}`, status: http.StatusOK, also: fresh, log: `"nivel":"WARNING".*Redis falla`, within: fast, mark: "⚠️"},

	{name: "MySQL muere: hay datos guardados", do: stop("mysql"), path: arrivals, body: refresh, status: http.StatusOK, also: isStale, log: `"nivel":"WARNING","mensaje":"se sirven datos anteriores`, within: queryLimit, mark: "⚠️"},
	{name: "MySQL muere: no hay datos guardados", path: birthdays, body: `{"dry_run": true, "days_ahead": 33}`, status: http.StatusServiceUnavailable, code: "dataset_error", log: `"nivel":"ERROR".*"error_code":"dataset_error"`, within: queryLimit, mark: "ℹ️"},
	{name: "MySQL muere: las alertas salen", path: alert, body: notice, status: http.StatusOK, within: fast, mark: "✅"},
	{name: "no hay MySQL al arrancar: alerta", do: restart, path: alert, body: notice, status: http.StatusOK, log: `"nivel":"WARNING".*"revisar":"base de datos"`, within: fast, mark: "⚠️"},
	{name: "MySQL vuelve", do: startDatabase, path: arrivals, body: refresh, status: http.StatusOK, also: fresh, within: queryLimit, mark: "✅"},
	{name: "MySQL se cuelga: acepta y no responde", do: pause("mysql"), undo: unpause("mysql"), path: arrivals, body: refresh, status: http.StatusOK, also: isStale, log: `"nivel":"WARNING","mensaje":"se sirven datos anteriores`, within: queryLimit, mark: "⚠️"},
	{name: "cambian la contraseña de MySQL", do: changePassword("otra"), path: birthdays, body: `{"dry_run": true, "days_ahead": 34}`, status: http.StatusServiceUnavailable, code: "dataset_error", log: `"nivel":"ERROR".*"error_code":"dataset_error"`, within: queryLimit, mark: "ℹ️"},
	{name: "vuelve la contraseña de MySQL", do: changePassword("solo-para-desarrollo"), path: birthdays, body: `{"dry_run": true, "days_ahead": 36}`, status: http.StatusOK, also: fresh, within: queryLimit, mark: "✅"},
	{name: "el DNS no encuentra a MySQL", do: disconnect("mysql"), undo: reconnect("mysql", "mysql-del-perfil-dev"), path: arrivals, body: refresh, status: http.StatusOK, also: isStale, log: `"nivel":"WARNING","mensaje":"se sirven datos anteriores`, within: queryLimit, mark: "⚠️"},

	{name: "Telegram no está", do: stop("telegram"), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_http_error", also: sure, log: `"error_code":"telegram_http_error"`, within: sendLimit, mark: "ℹ️"},
	{name: "Telegram vuelve", do: start("telegram"), path: alert, body: notice, status: http.StatusOK, within: sendLimit, mark: "✅"},
	{name: "se corta la red con Telegram", do: disconnect("telegram"), undo: reconnect("telegram", "telegram-del-perfil-dev"), path: alert, body: notice, status: http.StatusGatewayTimeout, code: "telegram_timeout", also: doubtful, log: `"error_code":"telegram_timeout"`, within: sendLimit, mark: "ℹ️"},
	{name: "el DNS no encuentra a Telegram", do: both(disconnect("telegram"), restart), undo: reconnect("telegram", "telegram-del-perfil-dev"), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_http_error", also: sure, log: `"error_code":"telegram_http_error"`, within: sendLimit, mark: "ℹ️"},
	{name: "Telegram no responde a tiempo", do: fault(`{"Method": "sendMessage", "Hang": true}`), path: alert, body: notice, status: http.StatusGatewayTimeout, code: "telegram_timeout", also: doubtful, log: `"error_code":"telegram_timeout"`, within: sendLimit, mark: "ℹ️"},
	{name: "Telegram corta después de recibir", do: fault(`{"Method": "sendMessage", "Cut": true, "Accept": true}`), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_http_error", also: doubtful, log: `"error_code":"telegram_http_error"`, within: sendLimit, mark: "ℹ️"},
	{name: "Telegram responde 502", do: fault(`{"Method": "sendMessage", "Status": 502}`), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_unexpected_status", also: doubtful, log: `"error_code":"telegram_unexpected_status"`, within: sendLimit, mark: "ℹ️"},
	{name: "Telegram se niega: el bot no está en el chat", do: fault(`{"Method": "sendMessage", "Status": 403}`), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_api_error", also: sure, log: `"error_code":"telegram_api_error"`, within: fast, mark: "ℹ️"},
	{name: "el token no vale", do: fault(`{"Method": "sendMessage", "Status": 401}`), path: alert, body: notice, status: http.StatusBadGateway, code: "telegram_api_error", also: func(a answer) bool { return strings.Contains(a.Description, "TELEGRAM_BOT_TOKEN") }, log: `"error_code":"telegram_api_error"`, within: fast, mark: "ℹ️"},
	{name: "Telegram pide esperar 1 s", do: fault(`{"Method": "sendMessage", "Status": 429, "RetryAfter": 1}`), path: alert, body: notice, status: http.StatusOK, within: sendLimit, mark: "✅"},
	{name: "Telegram pide esperar 5329 s", do: fault(`{"Method": "sendMessage", "Status": 429, "RetryAfter": 5329}`), undo: both(forget, restart), path: alert, body: notice, status: http.StatusServiceUnavailable, code: "telegram_rate_limited", also: sure, log: `"error_code":"telegram_rate_limited"`, within: fast, mark: "ℹ️"},
}

// What the contract allows: a request that waits for nobody, one that waits for
// a database that does not answer (store's 5 s and the driver's), one whose
// message is tried five times or waits for Telegram's time-out.
const (
	fast       = 5 * time.Second
	queryLimit = 15 * time.Second
	sendLimit  = 20 * time.Second
)

func fresh(a answer) bool { return a.Cache != nil && a.Cache.Source == "source" && !a.Cache.Stale }
