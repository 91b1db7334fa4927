package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	journalschema "github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

const migrateLong = `El esquema de referencia, para donde aún no hay base de datos, y el del diario de
envíos (CCM_JOURNAL_URL), que es otro. Una base que ya tiene las dos vistas es
«adoptada»: no se toca nunca; el diario se crea igual, en su propio esquema.

Con CCM_MIGRATE=true, «ccm-api serve» hace lo mismo que «migrate up» al arrancar.`

func (a *app) migrateCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "migrate",
		Aliases: []string{"migrar"},
		Short:   "El esquema de referencia, en una base vacía, y el del diario",
		Long:    migrateLong,
	})
	cmd.AddCommand(&cobra.Command{
		Use:     "status",
		Aliases: []string{"estado"},
		Short:   "Qué tienen la base de datos y el diario, y qué les falta; no cambia nada",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.migrate(cmd.Context(), "consultando", migrate.Inspect, journalschema.Inspect)
		},
	}, &cobra.Command{
		Use:     "up",
		Aliases: []string{"aplicar"},
		Short:   "Aplica lo que falta, si la base de datos está vacía o es propia",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.migrate(cmd.Context(), "aplicando migraciones", migrate.Up, journalschema.Up)
		},
	})
	return cmd
}

func (a *app) migrate(ctx context.Context, what string,
	database func(context.Context, string) (migrate.Status, error), journal func(context.Context, string) (journalschema.Status, error),
) error {
	cfg, err := a.library()
	if err != nil {
		return err
	}
	if cfg.Store.URL == "" && cfg.JournalURL == "" {
		return settingsError{errors.New("DATABASE_URL: falta, y dice qué base de datos migrar; CCM_JOURNAL_URL, qué diario")}
	}
	return errors.Join(a.migrateDatabase(ctx, what, cfg.Store.URL, database), a.migrateJournal(ctx, what, cfg.JournalURL, journal))
}

func (a *app) migrateDatabase(ctx context.Context, what, url string, do func(context.Context, string) (migrate.Status, error)) error {
	if url == "" {
		return nil
	}
	stop := a.progress(what)
	status, err := do(ctx, url)
	stop()
	if err != nil {
		return migrationError(status, err)
	}
	a.printStatus(status)
	return nil
}

func (a *app) migrateJournal(ctx context.Context, what, url string, do func(context.Context, string) (journalschema.Status, error)) error {
	if url == "" {
		return nil
	}
	stop := a.progress(what)
	status, err := do(ctx, url)
	stop()
	if err != nil {
		return journalMigrationError(err)
	}
	a.printJournal(status)
	return nil
}

// migrationError says what to mend when a database is not migrated.
func migrationError(found migrate.Status, err error) error {
	if errors.Is(err, migrate.ErrOccupied) {
		return fmt.Errorf("la base de datos tiene algo con nuestros nombres que no es nuestro (%s): no se tocó nada; use otra base de datos, vacía",
			strings.Join(found.Taken, ", "))
	}
	if errors.Is(err, store.ErrDenied) {
		return fmt.Errorf("la base de datos rechazó al usuario o le falta un permiso: revise DATABASE_URL; para migrar debe poder crear tablas y vistas: %w", err)
	}
	return databaseError(err)
}

func (a *app) printStatus(s migrate.Status) {
	switch s.State {
	case migrate.Adopted:
		fmt.Fprintln(a.out, "Base de datos adoptada: tiene sus propias vistas y no se toca.")
		return
	case migrate.Occupied:
		fmt.Fprintf(a.out, "Base de datos ocupada: estos nombres ya son de otra cosa: %s.\n", strings.Join(s.Taken, ", "))
		return
	}
	fmt.Fprintf(a.out, "Base de datos %s.\n", s.State)
	a.printMigrations(s.Migrations, s.Pending())
}

func (a *app) printMigrations(all []migrate.Migration, pending int) {
	for _, m := range all {
		state := "pendiente"
		if m.Applied {
			state = "aplicada"
		}
		fmt.Fprintf(a.out, "  %05d  %-9s  %s\n", m.Version, state, cmp.Or(m.Name, "(de una versión posterior de ccm-api)"))
	}
	if pending > 0 {
		fmt.Fprintf(a.out, "%s; se aplican con «ccm-api migrate up».\n", plural(pending, "migración pendiente", "migraciones pendientes"))
	}
}

// databaseError says what to mend when a database does not let itself be used.
func databaseError(err error) error {
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("la base de datos no responde: revise que esté en marcha, la red y DATABASE_URL: %w", err)
	case errors.Is(err, store.ErrDenied):
		return fmt.Errorf("la base de datos rechazó al usuario o le falta un permiso: revise DATABASE_URL: %w", err)
	case errors.Is(err, store.ErrSchema):
		return fmt.Errorf("la base de datos no existe o no es la que se espera: revise su nombre en DATABASE_URL: %w", err)
	}
	return err
}
