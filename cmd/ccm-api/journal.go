package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	journalschema "github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/store"
)

// stageJournal is the "etapa" of what the process does with the journal.
const stageJournal = "diario"

const (
	recoverPause = 15 * time.Second // between two looks for what a process left behind
	purgePause   = time.Hour
	purgeTimeout = 10 * time.Minute // of one purge, which goes in small batches
)

// openJournal puts the journal that the settings name into cfg; without a
// CCM_JOURNAL_URL it is nil, and the Client has one in memory. The caller closes
// it after the Client.
func openJournal(cfg *ccm.Config) (*delivery.Journal, error) {
	if cfg.JournalURL == "" {
		return nil, nil
	}
	j, err := delivery.Open(delivery.Config{URL: cfg.JournalURL, Retention: cfg.JournalRetention})
	if err != nil {
		return nil, settingsError{fmt.Errorf("CCM_JOURNAL_URL: %w", err)}
	}
	cfg.Journal = j
	return j, nil
}

// closeJournal closes one that there may be.
func closeJournal(j *delivery.Journal) error {
	if j == nil {
		return nil
	}
	return j.Close()
}

// journalName is what the start line calls the journal.
func journalName(j *delivery.Journal) string {
	if j == nil {
		return "memoria"
	}
	return "mysql"
}

// recoverLoop takes over what processes that are gone left behind, at once and
// then again and again, until ctx ends. Replicas do it at different times.
func recoverLoop(ctx context.Context, log *slog.Logger, retake func(context.Context) (int, error)) {
	for {
		switch n, err := retake(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil: // that the journal goes and comes back, watch tells
			log.DebugContext(ctx, "no se pudo buscar envíos interrumpidos", keyStage, stageJournal, "reason", err.Error())
		case n > 0:
			log.InfoContext(ctx, "envíos interrumpidos retomados", keyStage, stageJournal, "envios", n)
		}
		if pause(ctx, recoverPause/2+rand.N(recoverPause)) != nil {
			return
		}
	}
}

// purgeLoop deletes what is too old, at once and then every hour, until ctx ends.
func purgeLoop(ctx context.Context, log *slog.Logger, purge func(context.Context) (delivery.Purged, error)) {
	for {
		began := time.Now()
		bounded, cancel := context.WithTimeout(ctx, purgeTimeout)
		done, err := purge(bounded)
		cancel()
		attrs := []any{keyStage, stageJournal, "textos_borrados", done.Texts, "envios_borrados", done.Rows, "duration_ms", milliseconds(time.Since(began))}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.WarnContext(ctx, "no se pudo depurar el diario: se reintenta en una hora", append(attrs, "reason", err.Error())...)
		case done.Texts+done.Rows > 0:
			log.InfoContext(ctx, "diario depurado", attrs...)
		default:
			log.DebugContext(ctx, "diario sin nada que depurar", attrs...)
		}
		if pause(ctx, purgePause+rand.N(purgePause/10)) != nil {
			return
		}
	}
}

// examineJournal looks whether the journal can be kept: it writes a delivery and
// takes it back.
func examineJournal(ctx context.Context, e *examination, cfg ccm.Config) {
	const name = "diario"
	if cfg.JournalURL == "" {
		e.add(finding{Name: name, Status: fine, Detail: "en memoria: una Idempotency-Key vale mientras este proceso viva; con CCM_JOURNAL_URL, entre réplicas y tras reiniciar"})
		return
	}
	j, err := openJournal(&cfg)
	if err != nil {
		e.add(finding{Name: name, Status: failed, Detail: "no se puede usar", Fix: []string{err.Error()}})
		return
	}
	defer j.Close()
	began := time.Now()
	err = j.Ping(ctx)
	latency := time.Since(began)
	if err == nil {
		err = j.Check(ctx)
	}
	if err != nil {
		e.add(journalFault(name, lacking(ctx, cfg, err)))
		return
	}
	found, err := journalschema.Inspect(ctx, cfg.JournalURL)
	switch {
	case err != nil:
		e.add(journalFault(name, err))
	case found.Pending() > 0:
		e.add(finding{Name: name, Status: failed, Detail: plural(found.Pending(), "migración pendiente", "migraciones pendientes") + " en " + found.Schema,
			Fix: []string{"ccm-api migrate up"}})
	case found.Later():
		e.add(finding{Name: name, Status: warned, Detail: fmt.Sprintf("en MySQL, esquema %s, que migró una versión posterior de ccm-api", found.Schema), LatencyMS: milliseconds(latency),
			Fix: []string{"vuelva a esa versión en cuanto pueda: esta no conoce lo que se añadió"}})
	default:
		e.add(finding{Name: name, Status: fine, Detail: fmt.Sprintf("en MySQL, esquema %s; los textos se guardan %s", found.Schema, plural(int(cfg.JournalRetention.Hours()/24), "día", "días")), LatencyMS: milliseconds(latency)})
	}
}

// lacking tells why a schema lacks tables, where «migrate up» would not make them.
func lacking(ctx context.Context, cfg ccm.Config, err error) error {
	if !errors.Is(err, store.ErrSchema) {
		return err
	}
	_, why := journalschema.Inspect(ctx, cfg.JournalURL)
	if errors.Is(why, journalschema.ErrShared) || errors.Is(why, journalschema.ErrIncomplete) {
		return why
	}
	return err
}

// journalFault is the finding about a journal that does not let itself be used.
func journalFault(name string, err error) finding {
	const meanwhile = "; las alertas salen sin él, y los reportes esperan"
	f := finding{Name: name, Status: failed, Detail: "no se puede usar" + meanwhile, Fix: []string{err.Error()}}
	if known, ok := errors.AsType[*delivery.Error](err); ok {
		f.Fix = []string{known.Hint + " (" + strings.ReplaceAll(known.Err.Error(), "\n", "; ") + ")"}
	}
	switch {
	case errors.Is(err, store.ErrUnavailable):
		f.Detail = "no se alcanza" + meanwhile
		if why, fix := unreachable(err, "", "CCM_JOURNAL_URL"); fix != "" {
			f.Detail, f.Fix = "no se alcanza: "+why+meanwhile, []string{fix}
		}
	case errors.Is(err, store.ErrDenied):
		f.Detail = "rechaza al usuario o le falta un permiso" + meanwhile
	case errors.Is(err, store.ErrSchema):
		f.Detail = "le faltan su esquema o sus tablas" + meanwhile
	case errors.Is(err, store.ErrReadOnly):
		f.Detail = "está en solo lectura" + meanwhile
	case errors.Is(err, store.ErrFull):
		f.Detail = "no tiene espacio" + meanwhile
	}
	return f
}

// printJournal tells what the journal's schema has.
func (a *app) printJournal(s journalschema.Status) {
	fmt.Fprintf(a.out, "Diario de envíos, esquema %s.\n", s.Schema)
	a.printMigrations(s.Migrations, s.Pending())
}

// journalMigrationError says what to mend when the journal is not migrated.
func journalMigrationError(err error) error {
	switch {
	case errors.Is(err, journalschema.ErrShared), errors.Is(err, journalschema.ErrIncomplete):
		return err // it says it all
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("el diario no responde: revise que su servidor esté en marcha, la red y CCM_JOURNAL_URL: %w", err)
	case errors.Is(err, store.ErrDenied):
		return fmt.Errorf("el diario rechazó al usuario o le falta un permiso: revise CCM_JOURNAL_URL; para crear las tablas necesita CREATE, ALTER e INDEX además de SELECT, INSERT, UPDATE y DELETE: %w", err)
	case errors.Is(err, store.ErrSchema):
		return fmt.Errorf("el esquema del diario no existe: «ccm-api migrate up» lo crea si el usuario de CCM_JOURNAL_URL puede; si no, créelo y concédale permiso: %w", err)
	}
	return err
}
