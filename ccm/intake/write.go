package intake

import (
	"bytes"
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/ccmwf/ccm/store"
)

// querier is a transaction, or a connection while nothing is to be written.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// writer puts the records of one workbook into the table.
type writer struct {
	to      querier
	table   *table
	rows    *rowReader
	options Options
	before  pretended // by the workbooks before this one
	now     pretended // by this one
	report  *FileReport
	touched branches
	lacking faults // rows without a value that the table wants
}

// write takes a batch: new ids are inserted, and of known ones that differ the
// columns that do are updated, if that was asked for.
func (w *writer) write(ctx context.Context, batch []record) error {
	if len(batch) == 0 {
		return nil
	}
	found, err := w.find(ctx, batch)
	if err != nil {
		return err
	}
	fresh := make([]record, 0, len(batch))
	for _, rec := range batch {
		old, exists := found[rec.id]
		switch {
		case !exists:
			if header := w.rows.lacks(rec); header != "" {
				w.lacking.add(codeRequired, "la tabla exige aquí un valor: la fila se dejó fuera", rec.row, header)
				continue
			}
			fresh = append(fresh, rec)
		case !w.options.Force:
			w.report.Skipped++
		default:
			if err := w.update(ctx, rec, old); err != nil {
				return err
			}
		}
	}
	return w.insert(ctx, fresh)
}

// known is a row of the table, as text.
type known struct {
	branch sql.NullString
	values []sql.NullString // by column of the plan
}

// find returns the rows of the table that have an id of the batch; without force
// only which there are.
func (w *writer) find(ctx context.Context, batch []record) (map[int64]known, error) {
	names, branch := []string{"id"}, "NULL"
	if w.options.Force {
		for _, c := range w.rows.columns {
			names = append(names, c.name)
		}
		if _, has := w.table.columns[columns[branchColumn].name]; has {
			branch = columns[branchColumn].name
		}
	}
	query, args := "SELECT "+branch+", "+quoted(names)+" FROM "+tableName+" WHERE id IN ("+marks(len(batch))+")", make([]any, len(batch))
	for i, rec := range batch {
		args[i] = rec.id
	}
	rows, err := w.to.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, databaseError(err)
	}
	defer rows.Close()
	found := make(map[int64]known)
	for rows.Next() {
		var id int64
		old, to := known{values: make([]sql.NullString, len(names)-1)}, make([]any, len(names)+1)
		to[0], to[1] = &old.branch, &id
		for i := range old.values {
			to[i+2] = &old.values[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, databaseError(err)
		}
		found[id] = old
	}
	w.before.over(found, batch, w.rows.columns)
	return found, databaseError(rows.Err())
}

// insert puts new rows in with one statement.
func (w *writer) insert(ctx context.Context, fresh []record) error {
	if len(fresh) == 0 {
		return nil
	}
	for _, rec := range fresh {
		w.report.Inserted++
		w.report.NewIDs = w.remember(w.report.NewIDs, rec.id)
	}
	if w.options.DryRun {
		for _, rec := range fresh {
			w.now.insert(rec, w.rows.columns, w.options.Force)
		}
		return nil
	}
	for _, rec := range fresh {
		branch, _ := w.branch(rec).(int64)
		w.touched.add(branch)
	}
	names, one := make([]string, 0, len(w.rows.columns)+3), "("+marks(len(w.rows.columns))
	for _, c := range w.rows.columns {
		names = append(names, c.name)
	}
	for _, set := range []struct{ name, value string }{{activeName, "1"}, {createdName, "CURRENT_TIMESTAMP"}, {updatedName, "CURRENT_TIMESTAMP"}} {
		if _, known := w.table.columns[set.name]; known {
			names, one = append(names, set.name), one+", "+set.value
		}
	}
	one += ")"
	query := "INSERT INTO " + tableName + " (" + quoted(names) + ") VALUES " + strings.Repeat(one+", ", len(fresh)-1) + one
	args := make([]any, 0, len(fresh)*len(w.rows.columns))
	for _, rec := range fresh {
		for _, v := range rec.values {
			if v == (unreadable{}) {
				v = nil
			}
			args = append(args, v)
		}
	}
	_, err := w.to.ExecContext(ctx, query, args...)
	return databaseError(err)
}

// update changes the columns of a known row that differ; none: the row is not
// touched. A cell that could not be read leaves what is there.
func (w *writer) update(ctx context.Context, rec record, old known) error {
	var sets []string
	var args []any
	var changed []target
	for i, c := range w.rows.columns {
		if c.name == "id" || rec.values[i] == (unreadable{}) || equal(c.kind, rec.values[i], old.values[i]) {
			continue
		}
		if rec.values[i] == nil && (c.required || c.name == treatmentName) {
			continue // the table wants a value, or knows more than Tipo tells
		}
		sets, args, changed = append(sets, "`"+c.name+"` = ?"), append(args, rec.values[i]), append(changed, c)
	}
	if len(sets) == 0 {
		w.report.Skipped++
		return nil
	}
	w.report.Updated++
	w.report.ChangedIDs = w.remember(w.report.ChangedIDs, rec.id)
	if w.options.DryRun {
		w.now.update(rec.id, w.before[rec.id], changed, args)
		return nil
	}
	w.touchOld(rec, old)
	if _, known := w.table.columns[updatedName]; known {
		sets = append(sets, updatedName+" = CURRENT_TIMESTAMP")
	}
	_, err := w.to.ExecContext(ctx, "UPDATE "+tableName+" SET "+strings.Join(sets, ", ")+" WHERE id = ?", append(args, rec.id)...)
	return databaseError(err)
}

// equal reports whether a value is what the table has, whatever type its column
// has there.
func equal(k kind, value any, old sql.NullString) bool {
	was := strings.TrimSpace(old.String)
	switch v := value.(type) {
	case nil:
		return was == "" || k == date && was == "0000-00-00"
	case int64:
		if k == boolean {
			return (v != 0) == truth(was)
		}
		f, err := strconv.ParseFloat(was, 64)
		return err == nil && f == float64(v)
	case string:
		if k == date {
			var d store.Date
			return d.Scan(was) == nil && d.String() == v
		}
		return was == v
	}
	return false
}

// truth reads a boolean as any table has it; a BIT is a byte.
func truth(was string) bool {
	n, known := parseBoolean(was)
	return known && n == 1 || bytes.Equal([]byte(was), []byte{1})
}

// touchOld tells the branch that a known row was in, and the one that it is in
// now, if the workbook says it.
func (w *writer) touchOld(rec record, old known) {
	was, _ := parseInteger(strings.TrimSpace(old.branch.String))
	w.touched.add(was)
	switch now := w.branch(rec).(type) {
	case int64:
		w.touched.add(now)
	case nil:
		if w.rows.slots[branchColumn] >= 0 {
			w.touched.add(0)
		}
	}
}

// branch is what a record has for it; nil for nothing.
func (w *writer) branch(rec record) any {
	if slot := w.rows.slots[branchColumn]; slot >= 0 {
		return rec.values[slot]
	}
	return nil
}

// remember lists an id of a dry run.
func (w *writer) remember(ids []int64, id int64) []int64 {
	if !w.options.DryRun || len(ids) >= MaxIDs {
		return ids
	}
	return append(ids, id)
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
