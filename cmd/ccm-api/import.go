package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/drive"
	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/store"
)

const importLong = `Carga libros .xlsx en la tabla ccm_generaciones: archivos de esta máquina, o los
de una generación en una carpeta de Google Drive.

Las personas nuevas se insertan; las que ya están se dejan como están, o con
--force se cambian donde difieren. Nunca se borra nada. Cada libro se carga entero
o no se carga, y repetir la orden da lo mismo. Hay una carga a la vez.

Una fila sin ID o sin nombre se deja fuera; una celda que no se entiende, ella
sola. Se dice cuál, nunca qué contiene, y la orden sale con 1, salvo --lenient.`

const importExample = `  ccm-api importar 20261127_rama14.xlsx --dry-run
  ccm-api importar *.xlsx --force
  ccm-api importar --generation 2026-11-27
  ccm-api importar --drive-folder 1AbC… --generation 20261127 -o json`

// importing is what one import is told.
type importing struct {
	intake.Options
	folder, generation string
	lenient            bool
	output             string
}

func (a *app) importCommand() *cobra.Command {
	var i importing
	cmd := &cobra.Command{
		Use:     "import [ARCHIVO…]",
		Aliases: []string{"importar"},
		Short:   "Carga libros .xlsx, de esta máquina o de Drive, en la base de datos",
		Long:    importLong,
		Example: importExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.importBooks(cmd.Context(), i, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&i.folder, "drive-folder", "", "la carpeta de Drive, su ID o su dirección; sin ella, "+envDriveFolder+" (--carpeta)")
	flags.StringVar(&i.generation, "generation", "", "la generación que se busca en Drive, «2026-11-27» o «20261127» (--generacion)")
	flags.BoolVar(&i.DryRun, "dry-run", false, "dice qué pasaría y no escribe nada (--simular)")
	flags.BoolVar(&i.Force, "force", false, "cambia también las personas que ya están y difieren (--forzar)")
	flags.BoolVar(&i.lenient, "lenient", false, "sale con 0 aunque algo se haya dejado fuera (--tolerante)")
	flags.StringVarP(&i.output, "output", "o", asTable, "tabla o json (--formato)")
	return cmd
}

func (a *app) importBooks(ctx context.Context, i importing, paths []string) error {
	date, err := i.check(paths)
	if err != nil {
		return err
	}
	cfg, err := a.library()
	env := ccm.NewEnv(a.lookup)
	at := parseDrive(env)
	if err = errors.Join(err, env.Err()); err != nil {
		return settingsError{err}
	}
	if i.folder == "" {
		i.folder = at.folder
	}
	switch {
	case cfg.Store.URL == "":
		return settingsError{errors.New("DATABASE_URL: falta, y dice en qué base de datos cargar")}
	case len(paths) == 0 && i.folder == "":
		return settingsError{errors.New(envDriveFolder + ": falta, y dice en qué carpeta de Drive están los libros; también vale --drive-folder")}
	}
	client, err := ccm.Open(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := openIntake(client, cfg, cfg.Logger)
	if err != nil {
		return err
	}
	defer l.Close()
	show, end := a.bar()
	i.Progress = show
	var report intake.Report
	if len(paths) > 0 {
		report, err = l.Files(ctx, i.Options, paths...)
	} else {
		report, err = l.Generation(ctx, i.Options, lazyDrive{client, at}, i.folder, date)
	}
	end()
	return a.tellImport(i, report, err)
}

// check says what cannot be meant.
func (i importing) check(paths []string) (store.Date, error) {
	if err := checkOutput(i.output, asTable, asJSON); err != nil {
		return store.Date{}, err
	}
	switch {
	case len(paths) > 0 && i.folder+i.generation != "":
		return store.Date{}, misused("o archivos, o --drive-folder y --generation")
	case len(paths) > 0:
		return store.Date{}, nil
	case i.generation == "":
		return store.Date{}, misused("faltan los archivos, o --generation con la generación que se busca en Drive")
	}
	for _, form := range []string{time.DateOnly, "20060102"} {
		if t, err := time.Parse(form, i.generation); err == nil {
			return store.DateOf(t), nil
		}
	}
	return store.Date{}, misused("la opción «--generation» debe ser una fecha como 2026-11-27")
}

// openIntake opens the load on the database of a client, whose cache is told of
// what changes. The caller closes it.
func openIntake(client *ccm.Client, cfg ccm.Config, log *slog.Logger) (*intake.Loader, error) {
	return intake.Open(intake.Config{
		Store:      store.Config{URL: cfg.Store.URL, Location: cfg.Location},
		Logger:     log,
		Invalidate: client.Invalidate,
	})
}

// lazyDrive is an intake.Source: Drive with the client's credentials, which are
// looked for when it is asked.
type lazyDrive struct {
	client *ccm.Client
	at     driveConfig
}

func (d lazyDrive) open(ctx context.Context) (*drive.Drive, error) {
	credentials, err := d.client.Google(ctx)
	if err != nil {
		message := "no hay credenciales de Google: póngalas en GOOGLE_APPLICATION_CREDENTIALS; «ccm-api google check» las examina"
		if found, ok := errors.AsType[*oauth.Error](err); ok {
			message = "las credenciales de Google no sirven: " + found.Hint
		}
		return nil, &intake.Error{Code: intake.CodeCredentials, Message: message, Err: err}
	}
	return drive.Open(context.WithoutCancel(ctx), drive.Config{HTTP: credentials.Client(), BaseURL: d.at.url + "/"})
}

// printReport shows a report as a person reads it.
func printReport(out io.Writer, r intake.Report) error {
	if r.DryRun {
		fmt.Fprintln(out, "Simulación: no se escribió nada.")
	}
	if len(r.Files) > 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "LIBRO\tFILAS\tNUEVAS\tCAMBIADAS\tYA ESTABAN\tFUERA")
		for _, f := range r.Files {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", f.Name, f.Rows, f.Inserted, f.Updated, f.Skipped, f.LeftOut)
		}
		if len(r.Files) > 1 {
			fmt.Fprintf(w, "%s\t\t%d\t%d\t%d\t%d\n", plural(len(r.Files), "libro", "libros"), r.Inserted, r.Updated, r.Skipped, r.LeftOut)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	for _, f := range r.Files {
		printIDs(out, f.Name+", nuevas", f.NewIDs, f.Inserted)
		printIDs(out, f.Name+", cambiadas", f.ChangedIDs, f.Updated)
	}
	printFaults(out, r)
	return nil
}

// printIDs lists the ids that a dry run found.
func printIDs(out io.Writer, what string, ids []int64, all int) {
	if len(ids) == 0 {
		return
	}
	more := ""
	if all > len(ids) {
		more = fmt.Sprintf(" y %d más", all-len(ids))
	}
	fmt.Fprintf(out, "%s: ID %s%s\n", what, strings.Trim(fmt.Sprint(ids), "[]"), more)
}

// printFaults lists what was left out.
func printFaults(out io.Writer, r intake.Report) {
	told := 0
	for _, f := range r.Errors {
		if f.File == "" { // what stopped the load is said at the end
			continue
		}
		if told++; told == 1 {
			fmt.Fprintln(out, "\nSe dejó fuera:")
		}
		place := f.File
		if f.Row > 0 {
			place += fmt.Sprintf(", fila %d", f.Row)
		}
		if f.Column != "" {
			place += ", columna " + f.Column
		}
		fmt.Fprintf(out, "  - %s: %s\n", place, f.Message)
	}
	if more := r.ErrorCount - len(r.Errors); more > 0 {
		fmt.Fprintf(out, "  - y %d más\n", more)
	}
}

// tellImport prints a report and says how the command ends.
func (a *app) tellImport(i importing, r intake.Report, err error) error {
	printed := error(nil)
	if i.output == asJSON {
		printed = writeJSON(a.out, r)
	} else {
		printed = printReport(a.out, r)
	}
	switch {
	case err != nil || printed != nil:
		return errors.Join(err, printed)
	case len(r.Files) == 0, !r.Complete() && !i.lenient:
		return errReported
	}
	return nil
}

// Workbooks lists the workbooks of a generation.
func (d lazyDrive) Workbooks(ctx context.Context, folder string, generation store.Date) ([]intake.Workbook, []intake.Issue, error) {
	opened, err := d.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return opened.Workbooks(ctx, folder, generation)
}

// Download brings one.
func (d lazyDrive) Download(ctx context.Context, w intake.Workbook) ([]byte, error) {
	opened, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return opened.Download(ctx, w)
}
