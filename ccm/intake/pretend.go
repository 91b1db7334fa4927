package intake

import (
	"database/sql"
	"strconv"
)

// pretended is what the workbooks of a dry run would have written so far, for the
// next one to find: by id, values by index in columns, or [kept]. Without force
// nothing is compared, and there are no values.
type pretended map[int64][]any

// kept stands for a value that is as the table has it.
type kept struct{}

// insert writes a new row. What the workbook lacks is NULL.
func (p pretended) insert(rec record, to []target, force bool) {
	var values []any
	if force {
		values = make([]any, len(columns)+1)
		for i, c := range to {
			if rec.values[i] != (unreadable{}) {
				values[c.at] = rec.values[i]
			}
		}
	}
	p[rec.id] = values
}

// update writes some columns of a row, of which before was written earlier.
func (p pretended) update(id int64, before []any, to []target, values []any) {
	now := make([]any, len(columns)+1)
	for i := range now {
		now[i] = kept{}
	}
	copy(now, before)
	for i, c := range to {
		now[c.at] = values[i]
	}
	p[id] = now
}

// over lays it over what the table has of a batch.
func (p pretended) over(found map[int64]known, batch []record, to []target) {
	for _, rec := range batch {
		values, ok := p[rec.id]
		if !ok {
			continue
		}
		row, exists := found[rec.id]
		if !exists {
			row.values = make([]sql.NullString, len(to))
		}
		for i, c := range to {
			if values != nil && values[c.at] != (kept{}) {
				row.values[i] = asText(values[c.at])
			}
		}
		found[rec.id] = row
	}
}

// asText is a value as the server gives it back.
func asText(value any) sql.NullString {
	switch v := value.(type) {
	case int64:
		return sql.NullString{String: strconv.FormatInt(v, 10), Valid: true}
	case string:
		return sql.NullString{String: v, Valid: true}
	}
	return sql.NullString{}
}
