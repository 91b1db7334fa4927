package stack_test

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
)

var lives = []life{
	{"faltan las credenciales de Google", "arranque", `"nivel":"WARNING".*"revisar":"Google"`, "⚠️", func(t *testing.T, v *victim) string {
		is.New(t).True(strings.Contains(v.logs("ccm-api"), "/google/no-hay.json"))
		return "arranca y atiende; el registro dice qué archivo falta"
	}, nil},
	{"ajustes equivocados", "docker compose run ccm-api", "", "ℹ️", func(t *testing.T, v *victim) string {
		is := is.New(t)
		out, err := v.try("run", "--rm", "-e", "LOG_LEVEL=chillon", "-e", "CCM_TIMEZONE=Marte/Olimpo", "ccm-api")
		is.Equal(exitCode(err), 2)
		is.True(strings.Contains(out, "ccm-api: 2 ajustes que corregir"))
		is.True(!strings.Contains(out, "chillon"))
		return "«2 ajustes que corregir»: termina con 2 y nombra los dos"
	}, nil},
	{"la hora del contenedor no es la del centro", "docker compose run -e TZ=Pacific/Kiritimati ccm-api doctor", "", "✅", func(t *testing.T, v *victim) string {
		out, _ := v.try("run", "--rm", "-e", "TZ=Pacific/Kiritimati", "ccm-api", "doctor") // Google is missing: exit code 1
		zone, err := time.LoadLocation("America/Mexico_City")
		is.New(t).NoErr(err)
		is.New(t).True(strings.Contains(out, time.Now().In(zone).Format("2006-01-02 (MST)")))
		return "hoy es el día del centro"
	}, nil},
	{"SIGTERM con una petición en curso", "docker stop", `"mensaje":"servicio detenido"`, "✅", func(t *testing.T, v *victim) string {
		is := is.New(t)
		v.fault(`{"Method": "sendMessage", "Hang": true}`)
		answered := make(chan int, 1)
		since := time.Now()
		sent := v.calls()
		go func() {
			status, _, _ := v.ask(http.MethodPost, v.url+alert, notice)
			answered <- status
		}()
		eventually(t, "Telegram has the request", func() bool { return v.calls() > sent })
		docker(t, "stop", "--time", "60", v.container("ccm-api"))
		is.Equal(<-answered, http.StatusGatewayTimeout) // it got its answer
		is.Equal(v.state("ccm-api", "{{.State.ExitCode}}"), "0")
		is.True(strings.Contains(v.logsSince(since), "servicio detenido"))
		start("ccm-api")(v)
		return "la petición recibe su respuesta; sale con 0"
	}, nil},
	{"SIGKILL", "kill -9 del proceso", "servicio listo", "✅", func(t *testing.T, v *victim) string {
		is := is.New(t)
		before := v.state("ccm-api", "{{.RestartCount}}")
		v.kill("ccm-api")
		eventually(t, "Docker has started it again", func() bool { return v.state("ccm-api", "{{.RestartCount}}") != before && v.ready() })
		_, a := v.post(alert, notice)
		is.True(a.Success)
		return "la política de reinicio la levanta; atiende"
	}, nil},
	{"falta memoria", "mem_limit: 6m", "", "ℹ️", func(t *testing.T, v *victim) string {
		small := v.with("COMPOSE_FILE=compose.yaml:poca.yaml")
		small.write("poca.yaml", "services: {ccm-api: {mem_limit: 6m, memswap_limit: 6m}}\n")
		small.compose("up", "--detach", "--no-deps", "ccm-api")
		eventually(t, "the kernel has killed it, and Docker has started it again", func() bool {
			var all sync.WaitGroup
			for range 20 { // each wants memory; that they fail is what they are for
				all.Go(func() { _, _, _ = v.ask(http.MethodGet, v.url+"/openapi.json", "") })
			}
			all.Wait()
			return v.state("ccm-api", "{{.RestartCount}}") != "0"
		})
		return "el núcleo la mata y la política la reinicia; con los 128 MB de compose.yaml no pasa"
	}, upAgain},
	{"diez reinicios seguidos", "docker compose restart ccm-api", "servicio listo", "✅", func(t *testing.T, v *victim) string {
		is := is.New(t)
		before := v.leftovers()
		for range 10 {
			v.compose("restart", "--timeout", "10", "ccm-api")
			eventually(t, "ccm-api is ready", v.ready)
		}
		v.awaitHealthy("ccm-api")
		is.Equal(v.leftovers(), before)
		return "no queda nada atrás: contenedores, volúmenes, redes, procesos y archivos son los mismos"
	}, nil},
	{"dos réplicas y un Redis", "docker compose up --scale ccm-api=2", "", "✅", func(t *testing.T, v *victim) string {
		is := is.New(t)
		two := v.with("COMPOSE_FILE=compose.yaml:replicas.yaml")
		two.write("replicas.yaml", "services:\n  ccm-api:\n    ports: !override ['127.0.0.1::8000']\n")
		two.up("--scale", "ccm-api=2", "ccm-api")
		var sources []string
		for _, index := range []string{"1", "2"} {
			two.url = "http://" + strings.TrimSpace(two.compose("port", "--index", index, "ccm-api", "8000"))
			_, a := two.post(arrivals, `{"dry_run": true, "days_ahead": 77}`)
			is.True(a.Success)
			sources = append(sources, a.Cache.Source)
		}
		is.Equal(sources, []string{"source", "redis"}) // the second took what the first had loaded
		v.up("--scale", "ccm-api=1", "ccm-api")
		return "la segunda toma de Redis lo que cargó la primera"
	}, nil},
	{"el disco de los registros se llena", "volumen de 256 kB", `"nivel":"WARNING".*LOG_FILE_PATH`, "⚠️", func(t *testing.T, v *victim) string {
		is := is.New(t)
		full := v.with("COMPOSE_FILE=compose.yaml:lleno.yaml")
		full.write("lleno.yaml", `services:
  ccm-api:
    volumes: ["lleno:/var/log/ccm"]
volumes:
  lleno: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=256k,uid=65532,gid=65532"}}
`)
		full.up("ccm-api")
		eventually(t, "the disk is full and the log says so", func() bool {
			for range 50 {
				full.post(arrivals, dry)
			}
			return strings.Contains(full.logs("ccm-api"), "LOG_FILE_PATH")
		})
		status, a := full.post(alert, notice)
		is.Equal(status, http.StatusOK)
		lines := strings.Split(strings.TrimSpace(full.logs("ccm-api")), "\n")
		is.True(a.Success)
		is.True(slices.ContainsFunc(lines[len(lines)-5:], func(l string) bool { return strings.Contains(l, "/telegram/alerta") })) // stdout goes on
		return "sigue atendiendo y escribiendo en la salida"
	}, upAgain},
}

// with is the same stack seen by a docker compose with other variables.
func (v *victim) with(env ...string) *stack {
	other := *v.stack
	other.env = append(slices.Clone(other.env), env...)
	return &other
}

// calls counts the messages that somebody tried to send to the fake.
func (v *victim) calls() int {
	v.tb.Helper()
	_, body, err := v.ask(http.MethodGet, v.sandbox+"/sandbox/calls", "")
	if err != nil {
		v.tb.Fatal(err)
	}
	return strings.Count(body, "sendMessage")
}

func exitCode(err error) int {
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode()
	}
	return 0
}

// upAgain gives ccm-api back what compose.yaml says of it.
func upAgain(v *victim) { v.tb.Helper(); v.up("ccm-api") }

// kill kills the process of a service as the kernel would: docker kill would
// count as a wish to have it stopped.
func (v *victim) kill(service string) {
	v.tb.Helper()
	docker(v.tb, "run", "--rm", "--pid", "host", "golang:1.26", "bash", "-c", "kill -9 "+v.state(service, "{{.State.Pid}}"))
}

// leftovers is all that belongs to the stack and might grow.
func (v *victim) leftovers() string {
	v.tb.Helper()
	filter := "label=com.docker.compose.project=" + v.project
	changed := strings.Split(docker(v.tb, "diff", v.container("ccm-api")), "\n")
	slices.Sort(changed)
	return strings.Join(append(changed,
		docker(v.tb, "ps", "--all", "--filter", filter, "--format", "{{.Names}}"),
		docker(v.tb, "volume", "ls", "--quiet", "--filter", filter),
		docker(v.tb, "network", "ls", "--quiet", "--filter", filter),
		"processes: "+fmt.Sprint(strings.Count(docker(v.tb, "top", v.container("ccm-api")), "\n")-1),
	), "\n")
}
