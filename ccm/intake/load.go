package intake

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"maps"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
)

// attempts is how often a workbook is tried that lost against another writer.
const attempts = 3

// book is a workbook that is to be loaded.
type book struct {
	id, name string
	fetch    func(context.Context) (opener, error)
}

// opener opens a workbook, again if need be.
type opener func() (*xlsx.Sheet, error)

// load loads the books one by one. What fails of one is told; what the next one
// would meet too ends the load.
func (l *Loader) load(ctx context.Context, conn *sql.Conn, o Options, books []book, report *Report) error {
	t, err := readTable(ctx, conn)
	if err == nil {
		err = checkRights(ctx, conn, o.Force)
	}
	if err != nil {
		return err
	}
	before := pretended{}
	for i, b := range books {
		one := loading{conn: conn, table: t, options: o, before: before, progress: Progress{File: b.name, Number: i + 1, Of: len(books)}}
		file, found, err := one.run(ctx, b)
		l.invalidate(ctx, one.touched) // after an error too: it may be that of a COMMIT that took place
		report.joinFaults(found)
		switch {
		case err == nil:
			report.add(file)
			l.logFile(ctx, file, found.count)
		case stops(ctx, err):
			return err
		default:
			report.Failed++
			report.fault(Issue{Code: codeOf(err), Message: err.Error(), File: b.name})
		}
	}
	return nil
}

// stops reports whether an error is that of the database or of the caller, and
// not of one workbook.
func stops(ctx context.Context, err error) bool {
	return ctx.Err() != nil || kindOf(err) != nil
}

// codeOf is the code of what failed of one workbook.
func codeOf(err error) string {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Code
	}
	return codeWorkbook
}

func (l *Loader) logFile(ctx context.Context, f FileReport, found int) {
	l.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "libro cargado", slog.String("etapa", stage), slog.String("message_id", ccm.MessageID(ctx)), slog.String("drive_file_id", f.ID),
		slog.Int("records_processed", f.Inserted+f.Updated), slog.Int("records_skipped", f.Skipped), slog.Int("left_out", f.LeftOut), slog.Int("errors", found))
}

// invalidate tells whoever keeps what was read of the branches.
func (l *Loader) invalidate(ctx context.Context, touched branches) {
	if len(touched) == 0 || l.cfg.Invalidate == nil {
		return
	}
	if err := l.forget(context.WithoutCancel(ctx), touched.sorted()); err != nil {
		l.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "no se pudo vaciar la caché: otros procesos sirven los datos de antes hasta que caduquen",
			slog.String("etapa", stage), slog.String("reason", err.Error()))
	}
}

// forget returns the first error, and goes on past it: each branch counts.
func (l *Loader) forget(ctx context.Context, which []int) (first error) {
	for _, branch := range which {
		err := l.cfg.Invalidate(ctx, branch)
		if ccm.CodeOf(err) == ccm.CodeInvalidBranch { // not served here, but maybe by another process with the same Redis
			branch, err = 0, l.cfg.Invalidate(ctx, 0)
		}
		if first == nil {
			first = err
		}
		if branch == 0 {
			break
		}
	}
	return first
}

// loading is the load of one workbook.
type loading struct {
	conn     *sql.Conn
	table    *table
	options  Options
	before   pretended // by the workbooks before this one
	touched  branches
	progress Progress
}

// run loads it in a transaction, again if another writer was in the way.
func (l *loading) run(ctx context.Context, b book) (FileReport, faults, error) {
	l.progress.Downloading = b.id != "" // one of this machine is there
	l.tell()
	open, err := b.fetch(ctx)
	if err != nil {
		return FileReport{}, faults{}, err
	}
	l.progress.Downloading = false
	for n := 1; ; n++ {
		file, found := FileReport{ID: b.id, Name: b.name}, faults{file: b.name}
		l.touched, l.progress.Rows = branches{}, 0
		err := l.once(ctx, open, &file, &found)
		if stopped, ok := errors.AsType[*Error](err); ok && stopped.clash && n < attempts {
			continue
		}
		if err != nil {
			return file, faults{}, err // of a book that is not loaded, only this counts
		}
		return file, found, nil
	}
}

// once loads it in one transaction, or in none for a dry run.
func (l *loading) once(ctx context.Context, open opener, file *FileReport, found *faults) error {
	sheet, err := open()
	if err != nil {
		return err
	}
	defer sheet.Close()
	rows, err := openRows(sheet, l.table, found)
	if err != nil {
		return err
	}
	w := &writer{table: l.table, rows: rows, options: l.options, before: l.before, now: pretended{}, report: file, touched: l.touched, lacking: faults{file: found.file}}
	if l.options.DryRun {
		w.to = l.conn
		if err := l.copy(ctx, w); err != nil {
			return err
		}
		maps.Copy(l.before, w.now)
		return nil
	}
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return databaseError(err)
	}
	w.to = tx
	if err := l.copy(ctx, w); err != nil {
		_ = tx.Rollback() // the connection is gone otherwise, and the server does it
		return err
	}
	return databaseError(tx.Commit())
}

// copy reads ahead of what is written.
func (l *loading) copy(ctx context.Context, w *writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	type read struct {
		batch []record
		done  float64
		err   error
	}
	ahead := make(chan read, 3)
	defer func() {
		cancel()
		for range ahead { // the reader is gone before the sheet is closed
		}
		w.report.Rows, w.report.LeftOut = w.rows.rows, w.rows.leftOut+w.lacking.count
		w.rows.faults.join(w.lacking)
	}()
	go func() {
		defer close(ahead)
		for {
			batch, err := w.rows.next()
			select {
			case ahead <- read{batch, w.rows.sheet.Progress(), err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for r := range ahead {
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return r.err
		}
		if err := w.write(ctx, r.batch); err != nil {
			return err
		}
		l.progress.Done, l.progress.Rows = r.done, l.progress.Rows+len(r.batch)
		l.tell()
	}
	return databaseError(ctx.Err()) // the reader ends early only with it
}

func (l *loading) tell() {
	if l.options.Progress != nil {
		l.options.Progress(l.progress)
	}
}
