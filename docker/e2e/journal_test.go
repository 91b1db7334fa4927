package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// alertChat is where doubts are told.
const alertChat = -1007654321000

// journalEnv is telegramEnv with a journal in an empty schema, migrated, and a
// chat for alerts.
func journalEnv(t *testing.T, url string) (*telegramtest.Server, []string) {
	t.Helper()
	fake, env := telegramEnv(t)
	fake.AddChat(telegramtest.Chat{ID: alertChat, Type: "supergroup", Title: "Avisos"})
	env = append(env, "CCM_JOURNAL_URL="+url, fmt.Sprint("CCM_ALERT_CHAT_ID=", alertChat))
	exit, out := runCommand(t, env, "migrate", "up")
	is.New(t).Equal(exit, 0)
	t.Log(out)
	return fake, env
}

// deliveries are the ids of those in a state, as the terminal lists them.
func deliveries(t *testing.T, env []string, state string) (ids []string) {
	t.Helper()
	exit, out := runCommand(t, env, "entregas", "listar", "--estado", state, "-o", "json")
	is.New(t).Equal(exit, 0)
	var all []struct {
		ID string `json:"delivery_id"`
	}
	is.New(t).NoErr(json.Unmarshal([]byte(out), &all))
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	return ids
}

const (
	shortAlert = `{"title": "Disco", "body": "lleno"}`
	key        = "Idempotency-Key"
)

// longAlert takes three parts.
var longAlert = fmt.Sprintf(`{"title": "Larga", "body": %q}`, strings.Repeat("una línea de texto\n", 500))

func TestJournalOverProcesses(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel() // the claim of a dead process lasts a minute
			t.Run("a key sends once over replicas, a restart and the terminal", func(t *testing.T) {
				is := is.New(t)
				fake, env := journalEnv(t, db.url(t))
				one, two := serve(t, env...), serve(t, env...)
				one.said(`"diario":"mysql"`)
				is.Equal(one.health("journal"), "ok")
				var all sync.WaitGroup
				for i := range 10 {
					s := []*service{one, two}[i%2]
					all.Go(func() {
						status, _ := s.post(alert, shortAlert, key, `"hoy"`)
						if status != http.StatusOK && status != http.StatusConflict {
							t.Errorf("status %d", status)
						}
					})
				}
				all.Wait()
				is.Equal(len(fake.Messages(chat)), 1)
				is.Equal(one.stop(), 0)
				three := serve(t, env...)
				status, a := three.post(alert, shortAlert, key, "hoy") // bare is the same
				is.Equal(status, http.StatusOK)
				is.True(a.Success)
				status, _ = three.post(alert, longAlert, key, "hoy")
				is.Equal(status, http.StatusUnprocessableEntity)
				for range 2 { // a timer on two hosts
					exit, out := runCommand(t, env, "enviar", "alerta", "--titulo", "T", "--texto", "B", "--clave", "diaria")
					is.Equal(exit, 0)
					is.True(!strings.Contains(out, "aviso"))
					t.Log(out)
				}
				is.Equal(len(fake.Messages(chat)), 2)
				is.Equal(two.stop(), 0)
				is.Equal(three.stop(), 0)
			})

			t.Run("a killed process leaves a doubt that a person decides, and the rest goes out", func(t *testing.T) {
				is := is.New(t)
				fake, env := journalEnv(t, db.url(t))
				s := serve(t, env...)
				fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Hang: true, Accept: true}) // the second part hangs
				go func() { _, _ = http.Post(s.url+alert, "application/json", strings.NewReader(longAlert)) }()
				eventually(t, "the second part is written", func() bool { return len(fake.Messages(chat)) == 2 })
				is.NoErr(s.cmd.Process.Kill())
				_ = s.cmd.Wait()

				s = serve(t, env...)
				began := time.Now()
				for tick := time.Tick(time.Second); len(deliveries(t, env, "uncertain")) == 0 && time.Since(began) < 3*patience; {
					<-tick // the claim of the dead lasts a minute
				}
				eventually(t, "the third part goes out", func() bool { return len(fake.Messages(chat)) == 3 })
				t.Logf("recovered %v after the restart", time.Since(began))
				id := deliveries(t, env, "uncertain")[0]
				eventually(t, "the chat of alerts is told", func() bool { return len(fake.Messages(alertChat)) == 1 })
				is.True(strings.Contains(fake.Messages(alertChat)[0].Text, id))
				is.True(!strings.Contains(fake.Messages(alertChat)[0].Text, "una línea"))
				_, metrics := s.get("/metrics")
				is.True(strings.Contains(metrics, "ccm_deliveries_recovered_total 1"))
				is.True(strings.Contains(metrics, "ccm_parts_uncertain_total 1"))

				exit, out := runCommand(t, env, "entregas", "ver", id)
				is.Equal(exit, 0)
				is.True(strings.Contains(out, "mensaje 2 de 3: sin confirmar"))
				exit, out = runCommand(t, env, "entregas", "reenviar", id, "--quien", "ana")
				t.Log(out)
				is.Equal(exit, 0)
				messages := fake.Messages(chat)
				is.Equal(len(messages), 4)
				is.Equal(messages[3].Text, "(posible duplicado)\n"+messages[1].Text)
				status, _ := s.post("/deliveries/"+id+"/resend", "")
				is.Equal(status, http.StatusOK) // again: the same receipt
				is.Equal(len(fake.Messages(chat)), 4)
				exit, out = runCommand(t, env, "entregas", "reenviar", id)
				is.Equal(exit, 0)
				is.True(strings.Contains(out, "ya se había enviado"))
				is.Equal(s.stop(), 0)
			})
		})
	}
}

func TestJournalAway(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			is := is.New(t)
			server := testenv.NewMySQL(t)
			fake, env := journalEnv(t, server.URL())
			s := serve(t, append(env, "DATABASE_URL=mysql://nadie@127.0.0.1:1/nada")...)
			is.Equal(s.health("journal"), "ok")
			fault.away(server)
			began := time.Now()
			resp, err := http.Post(s.url+alert, "application/json", strings.NewReader(shortAlert))
			is.NoErr(err)
			t.Logf("with a journal that %s the alert took %v", fault.name, time.Since(began))
			var a struct {
				Success, Unrecorded bool
			}
			is.NoErr(json.NewDecoder(resp.Body).Decode(&a))
			resp.Body.Close()
			is.True(a.Success && a.Unrecorded)
			is.Equal(len(fake.Messages(chat)), 1)
			status, report := s.post(arrivals, `{}`, key, "k")
			is.Equal(status, http.StatusServiceUnavailable)
			is.Equal(report.ErrorCode, "journal_error")
			status, body := s.get("/deliveries")
			is.Equal(status, http.StatusServiceUnavailable)
			is.True(strings.Contains(body, "CCM_JOURNAL_URL"))
			eventually(t, "/health says it", func() bool { return s.health("journal") == "down" })
			exit, out := runCommand(t, env, "enviar", "alerta", "--titulo", "T", "--texto", "B")
			is.Equal(exit, 0)
			is.True(strings.Contains(out, "la alerta salió sin él"))
			fault.back(server)
			eventually(t, "/health says that it is back", func() bool { return s.health("journal") == "ok" })
			status, _ = s.post(alert, shortAlert)
			is.Equal(status, http.StatusOK)
			is.Equal(len(deliveries(t, env, "sent")), 1)
			is.Equal(s.stop(), 0)
		})
	}
}

// TestJournalFaultsSayWhatToDo takes one thing after another from a journal.
func TestJournalFaultsSayWhatToDo(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			is := is.New(t)
			url := db.url(t)
			fake, env := telegramEnv(t)
			env = append(env, "CCM_JOURNAL_URL="+url)
			says := func(words string, args ...string) {
				t.Helper()
				_, out := runCommand(t, env, args...)
				if !regexp.MustCompile(words).MatchString(out) {
					t.Errorf("%v does not say %q:\n%s", args, words, out)
				}
			}
			says("ccm-api migrate up", "entregas", "listar")
			says("ccm-api migrate up", "doctor")
			says("pendiente", "migrate", "status")
			s := serve(t, append(env, "CCM_MIGRATE=true")...)
			s.said("diario migrado")
			is.Equal(s.health("journal"), "ok")
			is.Equal(s.stop(), 0)
			says("No hay envíos así", "entregas", "listar")
			says("bien +diario +en MySQL", "doctor")
			says("aplicada", "migrate", "status")

			execute(t, url, "CREATE USER IF NOT EXISTS 'lector'@'%' IDENTIFIED BY 'solo-lee';\nGRANT SELECT ON `"+schemaOf(url)+"`.* TO 'lector'@'%';\n")
			at := strings.LastIndex(url, "@")
			env[len(env)-1] = "CCM_JOURNAL_URL=mysql://lector:solo-lee" + url[at:]
			says("conceda SELECT, INSERT, UPDATE y DELETE", "doctor")
			exit, out := runCommand(t, env, "enviar", "alerta", "--titulo", "T", "--texto", "B")
			is.Equal(exit, 0)
			is.True(strings.Contains(out, "la alerta salió sin él"))
			is.Equal(len(fake.Messages(chat)), 1)
			is.True(!strings.Contains(out, "solo-lee"))
		})
	}
}

// schemaOf is the name of the database in a URL.
func schemaOf(url string) string {
	name, _, _ := strings.Cut(url[strings.LastIndex(url, "/")+1:], "?")
	return name
}

func TestJournalIsMadeBesideAnAdoptedDatabase(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			is := is.New(t)
			url, journal := db.url(t), db.url(t)
			execute(t, url, foreignSchema)
			before := dump(t, url)
			env := []string{"DATABASE_URL=" + url, "CCM_JOURNAL_URL=" + journal}
			for _, order := range []string{"up", "status"} {
				exit, out := runCommand(t, env, "migrate", order)
				is.Equal(exit, 0)
				is.True(strings.Contains(out, "Base de datos adoptada: tiene sus propias vistas y no se toca."))
				is.True(strings.Contains(out, "00002  aplicada   ccm_parts"))
			}
			is.Equal(dump(t, url), before)
		})
	}
}
