package stack_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // sql.Open
)

// victim is a stack whose parts a test makes fail.
type victim struct{ *stack }

// logsSince is what ccm-api has printed since then.
func (v *victim) logsSince(then time.Time) string {
	v.tb.Helper()
	return docker(v.tb, "logs", "--since", then.UTC().Format(time.RFC3339Nano), v.container("ccm-api"))
}

func dockerOutput(args ...string) (string, error) {
	out, err := exec.Command("docker", args...).CombinedOutput()
	return string(out), err
}

// stop kills a service: nothing restarts it but start.
func stop(service string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		docker(v.tb, "kill", v.container(service))
		eventually(v.tb, service+" is dead", func() bool { return v.state(service, "{{.State.Running}}") == "false" })
	}
}

func start(service string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		docker(v.tb, "start", v.container(service))
		v.awaitHealthy(service)
	}
}

// startDatabase starts MySQL, whose data were in memory, and the sandbox, which
// loads the people.
func startDatabase(v *victim) {
	v.tb.Helper()
	start("mysql")(v)
	docker(v.tb, "restart", "--time", "1", v.container("telegram"))
	v.awaitHealthy("telegram")
	eventually(v.tb, "ccm-api has its database back", func() bool { return v.health("database") == "ok" && v.health("telegram") == "ok" })
}

// pause freezes a service: it accepts connections and never answers.
func pause(service string) func(*victim) {
	return func(v *victim) { v.tb.Helper(); docker(v.tb, "pause", v.container(service)) }
}

func unpause(service string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		docker(v.tb, "unpause", v.container(service))
		v.awaitHealthy(service)
	}
}

// disconnect takes a service off the network: its name is not found any more.
func disconnect(service string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		docker(v.tb, "network", "disconnect", v.project+"_salida", v.container(service))
	}
}

func both(one, two func(*victim)) func(*victim) {
	return func(v *victim) { v.tb.Helper(); one(v); two(v) }
}

func reconnect(service, alias string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		docker(v.tb, "network", "connect", "--alias", alias, v.project+"_salida", v.container(service))
		eventually(v.tb, service+" answers again", func() bool { return v.health("database") == "ok" && v.health("telegram") == "ok" })
	}
}

// restart ends and starts ccm-api: what is away is away at its start.
func restart(v *victim) {
	v.tb.Helper()
	docker(v.tb, "restart", "--time", "10", v.container("ccm-api"))
	v.awaitHealthy("ccm-api")
}

// forget empties Redis, where replicas tell each other which chat Telegram has
// them leave alone.
func forget(v *victim) {
	v.tb.Helper()
	docker(v.tb, "restart", "--time", "5", v.container("redis"))
	v.awaitHealthy("redis")
}

func fault(f string) func(*victim) {
	return func(v *victim) { v.tb.Helper(); v.fault(f) }
}

// changePassword gives MySQL's account another password, and cuts its connections.
func changePassword(password string) func(*victim) {
	return func(v *victim) {
		v.tb.Helper()
		db, err := sql.Open("mysql", fmt.Sprintf("root:solo-para-desarrollo@tcp(%s:3306)/", v.address("mysql")))
		if err != nil {
			v.tb.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("ALTER USER 'ccm'@'%' IDENTIFIED BY '" + password + "'"); err != nil {
			v.tb.Fatal(err)
		}
		rows, err := db.Query("SELECT id FROM information_schema.processlist WHERE user = 'ccm'")
		if err != nil {
			v.tb.Fatal(err)
		}
		defer rows.Close()
		var ids []string
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				v.tb.Fatal(err)
			}
			ids = append(ids, id)
		}
		for _, id := range ids {
			_, _ = db.Exec("KILL " + id) // it may have gone by itself
		}
	}
}

// address is a service's own in the network of the outside.
func (v *victim) address(service string) string {
	v.tb.Helper()
	return v.state(service, `{{(index .NetworkSettings.Networks "`+v.project+`_salida").IPAddress}}`)
}

// state is what docker inspect says of a service's container.
func (v *victim) state(service, format string) string {
	v.tb.Helper()
	return strings.TrimSpace(docker(v.tb, "inspect", "--format", format, v.container(service)))
}

func (v *victim) awaitHealthy(service string) {
	v.tb.Helper()
	eventually(v.tb, service+" is healthy", func() bool { return v.state(service, "{{.State.Health.Status}}") == "healthy" })
}

// life is a story of ccm-api's own process.
type life struct {
	name, doing, log, mark string
	live                   func(t *testing.T, v *victim) string // and what is said of it in the table
	undo                   func(*victim)                        // puts everything right again; nil: nothing is wrong
}

// ready says whether ccm-api answers.
func (v *victim) ready() bool {
	status, _, err := v.ask(http.MethodGet, v.url+"/ready", "")
	return err == nil && status == http.StatusOK
}
