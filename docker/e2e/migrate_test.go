package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/docker/testenv"
)

func TestMigrationAtTheStart(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Run("an empty database gets the reference schema, by one of two that start at once", func(t *testing.T) {
				is := is.New(t)
				_, env := telegramEnv(t)
				env = append(env, "DATABASE_URL="+db.url(t), "CCM_MIGRATE=true")
				one, two := serve(t, env...), serve(t, env...)
				for _, s := range []*service{one, two} {
					status, a := s.post(arrivals, `{"dry_run": true}`)
					is.Equal(status, http.StatusOK)
					is.Equal(a.DatasetRecords, 0)
					s.said(`"estado":"propia"`)
					is.Equal(s.stop(), 0)
				}
			})
			t.Run("an adopted database is left as it was", func(t *testing.T) {
				is := is.New(t)
				url := db.url(t)
				execute(t, url, foreignSchema)
				before := dump(t, url)
				s := serve(t, "DATABASE_URL="+url, "CCM_MIGRATE=true")
				s.said(`"estado":"adoptada"`)
				is.Equal(s.stop(), 0)
				is.Equal(dump(t, url), before)
			})
			t.Run("an occupied one is refused, and nothing is served", func(t *testing.T) {
				is := is.New(t)
				url := db.url(t)
				execute(t, url, "CREATE TABLE ccm_generaciones (otra INT);\n")
				before := dump(t, url)
				exit, out := runCommand(t, []string{"DATABASE_URL=" + url, "CCM_MIGRATE=true", "API_HOST=127.0.0.1", "API_PORT=" + freePort(t)}, "serve")
				is.Equal(exit, 1)
				is.True(strings.Contains(out, `"nivel":"CRITICAL"`))
				is.True(strings.Contains(out, "ccm_generaciones"))
				is.Equal(dump(t, url), before)
			})
		})
	}
	t.Run("a database that comes later is migrated then, and alerts go out meanwhile", func(t *testing.T) {
		is := is.New(t)
		_, env := telegramEnv(t)
		database := testenv.NewMySQL(t)
		database.Stop()
		s := serve(t, append(env, "DATABASE_URL="+database.URL(), "CCM_MIGRATE=true")...)
		status, _ := s.post(alert, `{"title": "MySQL", "body": "no está", "level": "error"}`)
		is.Equal(status, http.StatusOK)
		database.Start()
		s.said(`"mensaje":"base de datos migrada"`)
		status, _ = s.post(arrivals, `{"dry_run": true}`)
		is.Equal(status, http.StatusOK)
		is.Equal(s.stop(), 0)
	})
	t.Run("without the setting nothing is changed", func(t *testing.T) {
		is := is.New(t)
		url := testenv.MySQL(t)
		before := dump(t, url)
		s := serve(t, "DATABASE_URL="+url)
		s.said(`"etapa":"arranque"`)
		is.Equal(s.stop(), 0)
		is.Equal(dump(t, url), before)
	})
}
