package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	journalschema "github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

// stageMigration is the "etapa" of what CCM_MIGRATE does.
const stageMigration = "migracion"

// How patient CCM_MIGRATE is with a database. An attempt is shorter than the
// minute that migrate.Up waits for the lock of another process, so that a busy
// lock is a database that is away: it is tried again.
const (
	firstAttempt = 15 * time.Second // the service waits for this one alone
	laterAttempt = 50 * time.Second
	firstPause   = 2 * time.Second
	longestPause = time.Minute
)

// migration is CCM_MIGRATE: «migrate up» before the service serves, and beside
// it while the database is away.
type migration struct {
	words   migrationWords
	inspect func(context.Context) (migrate.Status, error)
	up      func(context.Context) (migrate.Status, error)
	pause   func(context.Context, time.Duration) error // until then, or ctx's error
	log     *slog.Logger
}

// migrationWords are what the log says of one schema.
type migrationWords struct{ done, away, still string }

var (
	databaseWords = migrationWords{"base de datos migrada", "la base de datos no responde: el servicio atiende sin ella y la migración se reintenta", "la base de datos sigue sin responder"}
	journalWords  = migrationWords{"diario migrado", "el diario no responde: el servicio atiende sin él y la migración se reintenta", "el diario sigue sin responder"}
)

func newMigration(url string, log *slog.Logger) *migration {
	return &migration{
		words:   databaseWords,
		inspect: func(ctx context.Context) (migrate.Status, error) { return migrate.Inspect(ctx, url) },
		up:      func(ctx context.Context) (migrate.Status, error) { return migrate.Up(ctx, url) },
		pause:   pause,
		log:     log,
	}
}

// newJournalMigration is the one of the journal, whose schema is its own.
func newJournalMigration(url string, log *slog.Logger) *migration {
	adapt := func(do func(context.Context, string) (journalschema.Status, error)) func(context.Context) (migrate.Status, error) {
		return func(ctx context.Context) (migrate.Status, error) {
			found, err := do(ctx, url)
			return migrate.Status{State: migrate.Ours, Migrations: found.Migrations}, err
		}
	}
	return &migration{words: journalWords, inspect: adapt(inspectOrNone), up: adapt(journalschema.Up), pause: pause, log: log}
}

// inspectOrNone takes a schema that is not there yet for an empty one: Up makes it.
func inspectOrNone(ctx context.Context, url string) (journalschema.Status, error) {
	s, err := journalschema.Inspect(ctx, url)
	if errors.Is(err, store.ErrSchema) {
		err = nil
	}
	return s, err
}

// pause waits on a timer.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// first tries once. Again: the database is away, and retry shall go on. An error
// is a definite no, for whoever can mend it.
func (m *migration) first(ctx context.Context) (again bool, err error) {
	err = m.attempt(ctx, firstAttempt)
	switch {
	case ctx.Err() != nil:
		return false, nil // the service ends before it began
	case errors.Is(err, store.ErrUnavailable):
		away := m.fault(err)
		m.log.WarnContext(ctx, m.words.away,
			keyStage, stageMigration, "detalle", away.Detail, "arreglo", strings.Join(away.Fix, "; "), "reason", err.Error())
		return true, nil
	case err != nil:
		m.log.Log(ctx, levelCritical, "no se pudo arrancar: la migración que pide CCM_MIGRATE no es posible", keyStage, stageMigration, "reason", err.Error())
		return false, fmt.Errorf("CCM_MIGRATE: %w", err)
	}
	return false, nil
}

// retry goes on until the database answers or ctx ends.
func (m *migration) retry(ctx context.Context) {
	for wait := firstPause; m.pause(ctx, wait) == nil; wait = min(2*wait, longestPause) {
		err := m.attempt(ctx, laterAttempt)
		switch {
		case ctx.Err() != nil, err == nil:
			return
		case !errors.Is(err, store.ErrUnavailable):
			m.log.ErrorContext(ctx, "la migración que pide CCM_MIGRATE no es posible: no se reintenta hasta arrancar otra vez",
				keyStage, stageMigration, "reason", err.Error())
			return
		}
		m.log.DebugContext(ctx, m.words.still, keyStage, stageMigration, "reason", err.Error())
	}
}

// fault is the finding about a server that is away.
func (m *migration) fault(err error) finding {
	if m.words == journalWords {
		return journalFault("", err)
	}
	return databaseFault("", err)
}

// explain says what to mend.
func (m *migration) explain(found migrate.Status, err error) error {
	if m.words == journalWords {
		return journalMigrationError(err)
	}
	return migrationError(found, err)
}

// attempt does what «migrate up» does, and says what was done.
func (m *migration) attempt(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	began := time.Now()
	before, err := m.inspect(ctx)
	after := before
	if err == nil {
		after, err = m.up(ctx)
	}
	if err != nil {
		if ctx.Err() != nil && !errors.Is(err, store.ErrUnavailable) { // whatever the driver calls it
			err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
		return m.explain(after, err)
	}
	message := m.words.done
	if after.State == migrate.Adopted {
		message = "base de datos adoptada: tiene sus propias vistas y no se toca"
	}
	// What another replica applied meanwhile is counted as ours.
	m.log.InfoContext(ctx, message, keyStage, stageMigration, "estado", string(after.State),
		"migraciones_aplicadas", before.Pending()-after.Pending(), "duration_ms", milliseconds(time.Since(began)))
	return nil
}
