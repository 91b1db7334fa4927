package intake

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
	"github.com/ccmwf/ccm/store"
)

// statementTimeout bounds one statement; each is of [batchRows] rows at most.
const statementTimeout = time.Minute

// Config says which database is loaded.
type Config struct {
	// Store is the database, as for [store.Open]; its URL and Location count.
	Store store.Config

	// Invalidate is called after each workbook that changed something, once for
	// each branch that its rows belong to or belonged to; with 0, for every branch,
	// where a row has none. It is [ccm.Client.Invalidate], or alike. Nil: nobody is
	// told. Its failure is logged, and the load stands.
	Invalidate func(ctx context.Context, branch int) error

	// Logger gets a line for each workbook and load: ids of files and counts,
	// never names. Nil: nothing.
	Logger *slog.Logger
}

// Options say how to load.
type Options struct {
	Force    bool           // update known ids whose rows differ
	DryRun   bool           // write nothing, and tell what would be, of each workbook after those before it
	Progress func(Progress) // called now and then, never at the same time; nil: nobody is told
}

// Progress is how far a load is.
type Progress struct {
	File        string  // the workbook's name
	Number, Of  int     // which of how many
	Done        float64 // of this workbook, from 0 to 1
	Rows        int     // of this workbook, so far
	Downloading bool    // it is still on its way
}

// Loader loads workbooks into one database. It is safe for concurrent use; loads
// at the same time are [ErrBusy].
type Loader struct {
	db  *sql.DB
	cfg Config
}

// Open returns a Loader for cfg. It dials nothing: an error means that cfg cannot
// work. The caller must Close it.
//
// It has a connection of its own beside [store.Store]'s: that one only reads,
// and ends a query after seconds.
func Open(cfg Config) (*Loader, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := store.Connector(store.Config{URL: cfg.Store.URL, Location: cfg.Store.Location, QueryTimeout: statementTimeout})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxIdleConns(0) // between two loads there is a week
	return &Loader{db, cfg}, nil
}

// Close ends the connections; a load under way fails.
func (l *Loader) Close() error { return l.db.Close() }

// Workbook is one that a [Source] has.
type Workbook struct {
	ID   string
	Name string
	Size int64  // bytes; 0: not known
	MD5  string // of its content, in hexadecimal; "": not known
}

// Source is where the workbooks of a generation are. Its errors are [*Error], in
// Spanish, for operators.
type Source interface {
	// Workbooks lists those of a generation in a folder, in the order in which
	// they are to be loaded, and what was left out and why.
	Workbooks(ctx context.Context, folder string, generation store.Date) ([]Workbook, []Issue, error)
	// Download returns one, of [MaxFile] bytes at most, and has checked that it is
	// whole. It is held in memory: the image of ccm-api has no place for files.
	Download(ctx context.Context, w Workbook) ([]byte, error)
}

// Files loads workbooks of this machine, in the order given. The error is an
// [*Error], for what stopped the whole load; what stopped one file is in the
// Report, which counts beside an error too.
func (l *Loader) Files(ctx context.Context, o Options, paths ...string) (Report, error) {
	report, began := newReport(store.Date{}, "", o), time.Now()
	err := l.locked(ctx, func(conn *sql.Conn) error {
		books := make([]book, len(paths))
		for i, path := range paths {
			books[i] = book{name: plain(filepath.Base(path)), fetch: func(context.Context) (opener, error) {
				return func() (*xlsx.Sheet, error) { return xlsx.Open(path) }, nil
			}}
		}
		return l.load(ctx, conn, o, books, report)
	})
	return l.finish(ctx, report, began, err)
}

// Generation loads the workbooks of a generation that a Source has in a folder,
// one after the other. Errors are as those of Files; where the folder has none of
// them, it is [ErrNone].
func (l *Loader) Generation(ctx context.Context, o Options, from Source, folder string, generation store.Date) (Report, error) {
	report, began := newReport(generation, folder, o), time.Now()
	err := l.locked(ctx, func(conn *sql.Conn) error {
		found, leftOut, err := from.Workbooks(ctx, folder, generation)
		if err != nil {
			return sourceError(err, codeListing)
		}
		report.Failed += len(leftOut)
		for _, one := range leftOut {
			one.File = plain(one.File)
			report.fault(one)
		}
		if len(found) == 0 {
			return &Error{Code: codeNone, Message: "la carpeta no tiene ningún libro .xlsx de la generación " + report.Generation +
				": su nombre, o el de su carpeta, debe llevar esa fecha como AAAAMMDD", Err: ErrNone}
		}
		books := make([]book, len(found))
		for i, w := range found {
			books[i] = book{id: w.ID, name: plain(w.Name), fetch: func(ctx context.Context) (opener, error) { return download(ctx, from, w) }}
		}
		return l.load(ctx, conn, o, books, report)
	})
	return l.finish(ctx, report, began, err)
}

// download brings a workbook.
func download(ctx context.Context, from Source, w Workbook) (opener, error) {
	data, err := from.Download(ctx, w)
	if err != nil {
		return nil, sourceError(err, codeDownload)
	}
	return func() (*xlsx.Sheet, error) { return xlsx.New(bytes.NewReader(data), int64(len(data))) }, nil
}

// sourceError is the Error of a Source, or one for what is none.
func sourceError(err error, code string) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{Code: code, Message: "no se pudo leer de donde están los libros", Err: err}
}

// finish tells the cache and the log what a load came to.
func (l *Loader) finish(ctx context.Context, r *Report, began time.Time, err error) (Report, error) {
	if stopped, ok := errors.AsType[*Error](err); ok {
		r.fault(Issue{Code: stopped.Code, Message: stopped.Message})
	}
	done := r.end(began)
	level, message := slog.LevelInfo, "carga terminada"
	attrs := []slog.Attr{
		slog.String("etapa", stage), slog.String("message_id", ccm.MessageID(ctx)), slog.String("drive_folder_id", r.Folder), slog.String("fecha_generacion", r.Generation), slog.Bool("dry_run", r.DryRun),
		slog.Int("files", len(r.Files)), slog.Int("records_processed", r.Inserted+r.Updated), slog.Int("records_skipped", r.Skipped),
		slog.Int("left_out", r.LeftOut), slog.Int("errors", r.ErrorCount), slog.Float64("duration_ms", done.DurationSeconds*1000),
	}
	switch {
	case err != nil:
		level, message = slog.LevelError, "la carga se detuvo"
		attrs = append(attrs, slog.String("reason", err.Error()))
	case !r.Complete():
		level, message = slog.LevelWarn, "carga terminada, y algo se dejó fuera"
	}
	l.cfg.Logger.LogAttrs(ctx, level, message, attrs...)
	return done, err
}

// stage is the "etapa" of the log.
const stage = "carga"
