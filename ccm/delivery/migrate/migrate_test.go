package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	reference "github.com/ccmwf/ccm/store/migrate"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestUp(t *testing.T) {
	for name, get := range map[string]func(testing.TB) string{"MySQL": testenv.MySQL, "MariaDB": testenv.MariaDB} {
		t.Run(name, func(t *testing.T) { testUp(t, get) })
	}
}

func testUp(t *testing.T, get func(testing.TB) string) {
	t.Run("looking changes nothing", func(t *testing.T) {
		is, url := is.New(t), get(t)
		status, err := migrate.Inspect(t.Context(), url)
		is.NoErr(err)
		is.True(status.Exists)
		is.Equal(status.Pending(), 2)
		is.Equal(tables(t, url), 0)
	})
	t.Run("several at once, and again", func(t *testing.T) {
		is, url := is.New(t), get(t)
		var wait sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wait.Go(func() { _, errs[i] = migrate.Up(t.Context(), url) })
		}
		wait.Wait()
		is.NoErr(errors.Join(errs...))
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.Pending(), 0)
		is.Equal(tables(t, url), 3)
	})
	t.Run("what a later program did is told, and left", func(t *testing.T) {
		is, url := is.New(t), get(t)
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.True(!status.Later())
		_, err = connect(t, url).Exec("INSERT INTO ccm_delivery_migrations (version_id, is_applied) VALUES (9001, TRUE)")
		is.NoErr(err)
		status, err = migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.True(status.Later())
		is.Equal(status.Pending(), 0)
		is.Equal(status.Migrations[2], migrate.Migration{Version: 9001, Applied: true})
	})
	t.Run("a schema that is not there is made", func(t *testing.T) {
		is, url := is.New(t), get(t)+"_diario"
		t.Cleanup(func() { drop(t, url) })
		_, err := migrate.Inspect(t.Context(), url)
		is.True(errors.Is(err, store.ErrSchema))
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.True(strings.HasSuffix(status.Schema, "_diario"))
		is.Equal(status.Pending(), 0)
	})
	t.Run("the people's database is left alone", func(t *testing.T) {
		is, url := is.New(t), get(t)
		_, err := reference.Up(t.Context(), url)
		is.NoErr(err)
		before := tables(t, url)
		_, err = migrate.Up(t.Context(), url)
		is.True(errors.Is(err, migrate.ErrShared))
		is.True(strings.Contains(err.Error(), "CCM_JOURNAL_URL"))
		is.Equal(tables(t, url), before)
	})
	t.Run("what was lost is told, and comes back as said", func(t *testing.T) {
		for _, lost := range []string{"ccm_deliveries", "ccm_parts"} {
			is, url := is.New(t), get(t)
			_, err := migrate.Up(t.Context(), url)
			is.NoErr(err)
			db := connect(t, url)
			_, err = db.Exec("DROP TABLE " + lost)
			is.NoErr(err)
			for _, do := range []func(context.Context, string) (migrate.Status, error){migrate.Inspect, migrate.Up} {
				_, err = do(t.Context(), url)
				is.True(errors.Is(err, migrate.ErrIncomplete))
				is.True(strings.Contains(err.Error(), "falta su tabla "+lost))
				is.True(strings.Contains(err.Error(), "borre la tabla ccm_delivery_migrations y repita"))
			}
			_, err = db.Exec("DROP TABLE ccm_delivery_migrations")
			is.NoErr(err)
			status, err := migrate.Up(t.Context(), url)
			is.NoErr(err)
			is.Equal(status.Pending(), 0)
			is.Equal(tables(t, url), 3)
		}
	})
	t.Run("a server that is away, or knows no such user, is not told to lack the schema", func(t *testing.T) {
		is := is.New(t)
		u, err := url.Parse(get(t))
		is.NoErr(err)
		u.User = url.UserPassword("nadie", "clave-secreta")
		_, err = migrate.Up(t.Context(), u.String())
		is.True(errors.Is(err, store.ErrDenied))
		is.True(!strings.Contains(err.Error(), "no existe"))
		u.Host = "127.0.0.1:1"
		_, err = migrate.Up(t.Context(), u.String())
		is.True(errors.Is(err, store.ErrUnavailable))
		is.True(!strings.Contains(err.Error(), "no existe"))
	})
	t.Run("a user without rights is told which", func(t *testing.T) {
		is, raw := is.New(t), get(t)
		poor := user(t, raw)
		_, err := migrate.Up(t.Context(), poor)
		is.True(errors.Is(err, store.ErrDenied))
		is.True(strings.Contains(err.Error(), "conceda CREATE"))
		_, err = migrate.Up(t.Context(), poor+"_diario")
		is.True(errors.Is(err, store.ErrDenied))
		is.True(strings.Contains(err.Error(), "conceda al usuario"))
		is.True(!strings.Contains(err.Error(), "clave-secreta"))
	})
}

// user is one who may read the schema, and nothing else.
func user(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	db := connect(t, raw)
	name := fmt.Sprintf("lector%d", time.Now().UnixNano()%1e9)
	for _, statement := range []string{
		"CREATE USER '" + name + "'@'%' IDENTIFIED BY 'clave-secreta'",
		"GRANT SELECT ON `" + u.Path[1:] + "`.* TO '" + name + "'@'%'",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _, _ = connect(t, raw).Exec("DROP USER '" + name + "'@'%'") })
	u.User = url.UserPassword(name, "clave-secreta")
	return u.String()
}

func connect(tb testing.TB, url string) *sql.DB {
	tb.Helper()
	c, err := store.Connector(store.Config{URL: url})
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(c)
	tb.Cleanup(func() { db.Close() })
	return db
}

func tables(t *testing.T, url string) (n int) {
	t.Helper()
	if err := connect(t, url).QueryRow("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func drop(t *testing.T, raw string) {
	u, err := url.Parse(raw)
	if err == nil {
		_, err = connect(t, raw).Exec("DROP DATABASE `" + u.Path[1:] + "`")
	}
	if err != nil {
		t.Error(err)
	}
}
