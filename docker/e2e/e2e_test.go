// Package e2e_test runs the built ccm-api against real MySQL, MariaDB and Redis
// and the fake Bot API, as an operator would.
package e2e_test

import (
	_ "embed"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/docker/testenv"
)

// databases are the servers that every end-to-end test runs on.
var databases = []struct {
	name string
	url  func(testing.TB) string
}{
	{"MySQL 9.7", testenv.MySQL},
	{"MariaDB 11.8", testenv.MariaDB},
}

const (
	arrivals  = "/telegram/proximos-ingresos"
	birthdays = "/telegram/proximos-cumpleanos"
	alert     = "/telegram/alerta"
)

func TestReportsReachTheChatFromTheReferenceSchema(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			is := is.New(t)
			fake, env := telegramEnv(t)
			url := db.url(t)
			env = append(env, "DATABASE_URL="+url, "RAMA_ACTUAL=14", "CACHE_PROVIDER=redis", "REDIS_URL="+testenv.Redis(t))
			exit, out := runCommand(t, env, "migrate", "up")
			is.Equal(exit, 0) // migrate up on an empty database
			t.Log(out)
			execute(t, url, samplePeople(time.Now()))

			s := serve(t, env...)
			status, a := s.post(arrivals, `{"days_ahead": 30}`)
			is.Equal(status, http.StatusOK)
			is.Equal(a.DatasetRecords, 2) // 14A and 14B
			is.Equal(a.Cache.Source, "source")
			status, a = s.post(birthdays, `{"days_ahead": "30"}`)
			is.Equal(status, http.StatusOK)
			is.Equal(a.DatasetRecords, 2)
			is.Equal(a.RecordsSkipped, 1) // the one without a birth date
			status, a = s.post(alert, `{"title": "<Disco>", "body": "lleno & roto", "level": "error"}`)
			is.Equal(status, http.StatusOK)
			is.True(a.TelegramID != nil)

			messages := fake.Messages(chat)
			is.Equal(len(messages), 3)
			is.True(strings.Contains(messages[1].Text, "Ana O'Brien & Ñúñez <b>"))
			is.True(strings.Contains(messages[2].Text, "<Disco>"))

			_, a = s.post(arrivals, `{"days_ahead": 30, "dry_run": true}`)
			is.Equal(a.Cache.Source, "memory")
			is.Equal(s.stop(), 0) // SIGTERM
			s = serve(t, env...)
			_, a = s.post(arrivals, `{"days_ahead": 30, "dry_run": true}`)
			is.Equal(a.Cache.Source, "redis") // a new process finds what the old one stored
			is.Equal(len(fake.Messages(chat)), 3)
			is.True(!strings.Contains(s.log.String(), "Ñúñez")) // no name in the log
			is.True(!strings.Contains(s.log.String(), fake.Token))
			is.Equal(s.stop(), 0)
		})
	}
}

//go:embed foreign.sql
var foreignSchema string

func TestForeignDatabaseIsLeftAsItWas(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			is := is.New(t)
			fake, env := telegramEnv(t)
			url := db.url(t)
			env = append(env, "DATABASE_URL="+url, "RAMA_ACTUAL=14")
			execute(t, url, foreignSchema)
			execute(t, url, foreignPeople(time.Now()))
			before := dump(t, url)

			exit, out := runCommand(t, env, "migrate", "up")
			is.Equal(exit, 0)
			is.True(strings.Contains(out, "adoptada"))
			exit, out = runCommand(t, env, "doctor")
			t.Log(out)
			is.Equal(exit, 0)
			s := serve(t, env...)
			status, a := s.post(arrivals, `{"days_ahead": 30}`)
			is.Equal(status, http.StatusOK)
			is.Equal(a.DatasetRecords, 1)
			status, a = s.post(birthdays, `{"days_ahead": 30}`)
			is.Equal(status, http.StatusOK)
			is.Equal(a.DatasetRecords, 1)
			is.Equal(a.RecordsSkipped, 1) // a birth date that is no date
			for _, id := range []string{"branch_summary", "district_kpis"} {
				status, body := s.get("/datasets/" + id)
				is.Equal(status, http.StatusOK)
				is.True(strings.Contains(body, `"district":"C"`))
			}
			is.Equal(s.stop(), 0)
			is.Equal(len(fake.Messages(chat)), 2)
			is.Equal(dump(t, url), before) // not one byte of schema or data differs
		})
	}
}

func TestTwoDatabasesOnOneRedisStayApart(t *testing.T) {
	is := is.New(t)
	full, empty := testenv.MySQL(t), testenv.MySQL(t)
	env := []string{"RAMA_ACTUAL=14", "CACHE_PROVIDER=redis", "REDIS_URL=" + testenv.Redis(t)}
	preview := func(url string) string {
		exit, out := runCommand(t, append(env, "DATABASE_URL="+url), "preview", "arrivals")
		is.Equal(exit, 0)
		return out
	}
	for _, url := range []string{full, empty} {
		exit, out := runCommand(t, append(env, "DATABASE_URL="+url), "migrate", "up")
		t.Log(out)
		is.Equal(exit, 0)
	}
	execute(t, full, samplePeople(time.Now()))
	is.True(strings.Contains(preview(full), "Distrito 14A"))
	is.True(strings.Contains(preview(empty), "Nadie ingresa"))
	is.True(strings.Contains(preview(full), "Distrito 14A"))
}
