package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

var (
	emptyDatabase    = migrate.Status{State: migrate.Empty, Migrations: []migrate.Migration{{Version: 1}, {Version: 2}}}
	migratedDatabase = migrate.Status{State: migrate.Ours, Migrations: []migrate.Migration{{Version: 1, Applied: true}, {Version: 2, Applied: true}}}
	adoptedDatabase  = migrate.Status{State: migrate.Adopted, Migrations: emptyDatabase.Migrations}

	errAway   = store.Classify("migrate", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}})
	errDenied = fmt.Errorf("%w: lector", store.ErrDenied)
)

// migrationTest is a migration whose database answers with one error after
// another, and then is migrated. Nobody waits.
type migrationTest struct {
	*migration
	log    bytes.Buffer
	pauses []time.Duration
}

func newMigrationTest(found migrate.Status, faults ...error) *migrationTest {
	m := &migrationTest{}
	m.migration = &migration{
		words:   databaseWords,
		inspect: func(context.Context) (migrate.Status, error) { return found, nil },
		up: func(context.Context) (migrate.Status, error) {
			if len(faults) > 0 {
				err := faults[0]
				faults = faults[1:]
				return migrate.Status{Taken: []string{"vwMisioneros"}}, err
			}
			if found.State == migrate.Adopted {
				return found, nil
			}
			return migratedDatabase, nil
		},
		pause: func(ctx context.Context, d time.Duration) error {
			m.pauses = append(m.pauses, d)
			return ctx.Err()
		},
		log: newLogger(&m.log, levels["INFO"], nil),
	}
	return m
}

func TestMigrationAtStartSaysWhatItDid(t *testing.T) {
	for name, c := range map[string]struct {
		found         migrate.Status
		message, kind string
		applied       float64
	}{
		"empty":   {emptyDatabase, "base de datos migrada", "propia", 2},
		"ours":    {migratedDatabase, "base de datos migrada", "propia", 0},
		"adopted": {adoptedDatabase, "base de datos adoptada: tiene sus propias vistas y no se toca", "adoptada", 0},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := newMigrationTest(c.found)
			again, err := m.first(t.Context())
			is.NoErr(err)
			is.True(!again)
			said := lines(t, &m.log, c.message)
			is.Equal(len(said), 1)
			is.Equal(said[0]["nivel"], "INFO")
			is.Equal(said[0]["etapa"], "migracion")
			is.Equal(said[0]["estado"], c.kind)
			is.Equal(said[0]["migraciones_aplicadas"], c.applied)
			is.True(said[0]["duration_ms"] != nil)
		})
	}
}

func TestMigrationAtStartGoesOnWhileTheDatabaseIsAway(t *testing.T) {
	is := is.New(t)
	m := newMigrationTest(emptyDatabase, slices.Repeat([]error{errAway}, 9)...)
	again, err := m.first(t.Context())
	is.NoErr(err)
	is.True(again)
	is.Equal(len(m.pauses), 0) // the service does not wait
	said := lines(t, &m.log, "la base de datos no responde: el servicio atiende sin ella y la migración se reintenta")
	is.Equal(len(said), 1)
	is.Equal(said[0]["nivel"], "WARNING")
	is.Equal(said[0]["detalle"], "no se alcanza: no se encuentra el host «db»")

	m.retry(t.Context())
	var seconds []float64
	for _, p := range m.pauses {
		seconds = append(seconds, p.Seconds())
	}
	is.Equal(seconds, []float64{2, 4, 8, 16, 32, 60, 60, 60, 60})
	is.Equal(bytes.Count(m.log.Bytes(), []byte("\n")), 2) // the warning, and the success
	is.Equal(len(lines(t, &m.log, "base de datos migrada")), 1)
}

func TestMigrationIsOnlyWhereItIsAskedFor(t *testing.T) {
	is := is.New(t)
	var log bytes.Buffer
	var cfg serviceConfig
	cfg.library.Store.URL = "mysql://lector@127.0.0.1:1/ccm"
	beside, err := prepare(t.Context(), cfg, newLogger(&log, levels["DEBUG"], nil))
	is.NoErr(err)
	is.Equal(len(beside), 1) // the examination alone
	is.Equal(log.String(), "")
	cfg.process.migrate = true
	beside, err = prepare(t.Context(), cfg, newLogger(&log, levels["DEBUG"], nil))
	is.NoErr(err)
	is.Equal(len(beside), 2) // and it is tried again
	is.True(log.Len() > 0)
}

func TestMigrationAtStartStopsWithTheService(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	m := newMigrationTest(emptyDatabase, slices.Repeat([]error{errAway}, 99)...)
	m.pause = func(ctx context.Context, d time.Duration) error {
		if m.pauses = append(m.pauses, d); len(m.pauses) == 3 {
			cancel()
		}
		return ctx.Err()
	}
	m.retry(ctx)
	is.Equal(len(m.pauses), 3)
	is.Equal(m.log.String(), "")
	again, err := m.first(ctx) // the signal came meanwhile: serve ends by itself
	is.NoErr(err)
	is.True(!again)
	is.Equal(m.log.String(), "")
}

func TestMigrationAtStartTakesNoForAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		cure string
	}{
		"occupied": {migrate.ErrOccupied, "no se tocó nada; use otra base de datos, vacía"},
		"denied":   {errDenied, "para migrar debe poder crear tablas y vistas"},
		"schema":   {store.ErrSchema, "revise su nombre en DATABASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := newMigrationTest(emptyDatabase, c.err)
			again, err := m.first(t.Context())
			is.Equal(errors.Is(err, c.err), !errors.Is(c.err, migrate.ErrOccupied)) // that one is told in Spanish
			is.True(err != nil)
			is.True(!again)
			is.True(bytes.Contains(m.log.Bytes(), []byte(`"nivel":"CRITICAL"`)))
			is.True(bytes.Contains(m.log.Bytes(), []byte(c.cure)))

			m = newMigrationTest(emptyDatabase, errAway, c.err)
			m.retry(t.Context())
			is.Equal(len(m.pauses), 2) // it is not tried again
			is.True(bytes.Contains(m.log.Bytes(), []byte(`"nivel":"ERROR"`)))
			is.True(bytes.Contains(m.log.Bytes(), []byte(c.cure)))
		})
	}
}

func TestMigrationAtStartWaitsFifteenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		m := newMigrationTest(emptyDatabase)
		m.inspect = func(ctx context.Context) (migrate.Status, error) {
			<-ctx.Done()
			return migrate.Status{}, errors.New("the driver's own word for it")
		}
		began := time.Now()
		again, err := m.first(t.Context())
		is.NoErr(err)
		is.True(again)
		is.Equal(time.Since(began), 15*time.Second)
	})
}

func TestPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		began := time.Now()
		is.NoErr(pause(t.Context(), time.Minute))
		is.Equal(time.Since(began), time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		is.True(pause(ctx, time.Minute) != nil)
		is.Equal(time.Since(began), time.Minute+time.Second)
	})
}
