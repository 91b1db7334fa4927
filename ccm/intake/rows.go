package intake

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
	"github.com/ccmwf/ccm/store"
)

const (
	// headerRows is in how many rows with anything the header is looked for: there may
	// be titles above it.
	headerRows = 10
	// A batch goes to the database when it has so many rows, or so many bytes of text.
	batchRows  = 500
	batchBytes = 1 << 20
)

// unreadable takes the place of a value that could not be read.
type unreadable struct{}

// record is a row: its values in the order of plan.columns.
type record struct {
	id     int64
	row    int
	values []any
}

// plan is which columns of a workbook go where.
type plan struct {
	from    []int    // by column of the sheet: the index in columns, or -1
	headers []string // by column of the sheet, as a fault names it
	columns []target // what is written
	slots   []int    // by index in columns: the index in plan.columns, or -1
	first   int      // row of the first record
}

// target is a column that is written.
type target struct {
	column
	at       int  // index in columns; the address comes after all of them
	limit    int  // characters that it holds; 0: no limit
	required bool // it must have a value
}

// rowReader makes records of the rows of a sheet.
type rowReader struct {
	sheet *xlsx.Sheet
	reading
	plan
	faults  *faults
	seen    map[int64]int // in which row an id was first
	rows    int           // with anything in them
	leftOut int           // of these
	last    int           // the last row with anything in it
	pending bool          // the current row is a record, not the header
}

// openRows finds the header of a sheet, and plans which columns to write.
func openRows(sheet *xlsx.Sheet, t *table, found *faults) (*rowReader, error) {
	r := &rowReader{sheet: sheet, reading: reading{sheet.From1904}, faults: found, seen: map[int64]int{}}
	for n := 0; n < headerRows && sheet.Next(); {
		cells := sheet.Cells()
		if len(cells) == 0 {
			continue
		}
		n++
		if r.matchHeader(cells) {
			r.first = sheet.Row() + 1
			return r, r.choose(t)
		}
		if n == 1 && cells[0].Column == 0 {
			if _, ok := parseInteger(cells[0].Text); ok && cells[0].Kind != xlsx.Bool {
				r.matchPositions()
				return r, r.choose(t)
			}
		}
	}
	if err := sheet.Err(); err != nil {
		return nil, err
	}
	return nil, &xlsx.Error{Message: fmt.Sprintf("la primera hoja no es la de una generación: ninguna de sus primeras filas tiene los encabezados %s y %s",
		columns[idColumn].header, columns[nameColumn].header)}
}

// matchHeader reports whether a row is the header.
func (r *rowReader) matchHeader(cells []xlsx.Cell) bool {
	from := make([]int, cells[len(cells)-1].Column+1)
	headers := make([]string, len(from))
	for i := range from {
		from[i] = -1
	}
	for _, c := range cells {
		i, known := byHeader[fold(c.Text)]
		if !known || c.Kind != xlsx.Text {
			continue
		}
		from[c.Column] = i
		headers[c.Column] = fmt.Sprintf("%s (%s)", xlsx.ColumnName(c.Column), columns[i].header)
	}
	if !slices.Contains(from, idColumn) || !slices.Contains(from, nameColumn) {
		return false
	}
	r.from, r.headers = from, headers
	return true
}

// matchPositions is for a sheet without a header, which begins with data.
func (r *rowReader) matchPositions() {
	r.first, r.pending = r.sheet.Row(), true
	for i, c := range columns {
		r.from = append(r.from, i)
		r.headers = append(r.headers, fmt.Sprintf("%s (%s)", xlsx.ColumnName(i), c.header))
	}
}

// choose makes the list of what is written of what the sheet has and the table
// takes.
func (r *rowReader) choose(t *table) error {
	r.slots = make([]int, len(columns))
	for i := range r.slots {
		r.slots[i] = -1
	}
	for at, i := range r.from {
		if i < 0 {
			continue
		}
		if r.slots[i] >= 0 {
			return &xlsx.Error{Message: fmt.Sprintf("el encabezado %s está dos veces: borre o renombre una de las columnas", columns[i].header)}
		}
		c, known := t.columns[columns[i].name]
		if !known {
			r.faults.add(codeNoColumn, fmt.Sprintf("la tabla %s no tiene la columna %s: se carga sin ella", tableName, columns[i].name), 0, r.headers[at])
			r.from[at] = -1
			continue
		}
		r.slots[i] = len(r.columns)
		r.columns = append(r.columns, target{columns[i], i, c.limit, c.required})
	}
	if c, known := t.columns[treatmentName]; known && r.slots[kindColumn] >= 0 {
		r.columns = append(r.columns, target{column{"", treatmentName, text}, len(columns), c.limit, false})
	}
	return nil
}

// next fills a batch. With the last one comes io.EOF.
func (r *rowReader) next() ([]record, error) {
	batch, bytes := make([]record, 0, batchRows), 0
	for len(batch) < batchRows && bytes < batchBytes {
		if !r.pending && !r.sheet.Next() {
			return batch, r.end()
		}
		r.pending = false
		if len(r.sheet.Cells()) == 0 {
			continue
		}
		if rec, ok := r.record(&bytes); ok {
			batch = append(batch, rec)
		}
	}
	return batch, nil
}

// end looks at what is known only at the end of a sheet. Of a sound one it is io.EOF.
func (r *rowReader) end() error {
	if err := r.sheet.Err(); err != nil {
		return err
	}
	for _, m := range r.sheet.Merged() {
		inData := m.LastRow >= r.first && m.FirstRow <= r.last && (m.FirstRow != m.LastRow || m.FirstColumn != m.LastColumn)
		for at := m.FirstColumn; inData && at <= m.LastColumn && at < len(r.from); at++ {
			if r.from[at] >= 0 {
				return &xlsx.Error{Message: fmt.Sprintf("las celdas %s están combinadas y no se sabe de quién es su valor: sepárelas", m.Ref)}
			}
		}
	}
	return io.EOF
}

// record reads the current row; false if it is left out.
func (r *rowReader) record(bytes *int) (record, bool) {
	rec := record{row: r.sheet.Row(), values: make([]any, len(r.columns))}
	for i, c := range r.columns {
		rec.values[i] = empty(c.kind)
	}
	any := false
	for _, c := range r.sheet.Cells() {
		if c.Column >= len(r.from) || r.from[c.Column] < 0 {
			continue
		}
		slot := r.slots[r.from[c.Column]]
		v, wrong := r.value(c, r.columns[slot].kind)
		if v == nil && wrong == nil { // blanks
			continue
		}
		if s, ok := v.(string); ok {
			*bytes += len(s)
			if limit := r.columns[slot].limit; limit > 0 && len(s) > limit && utf8.RuneCountInString(s) > limit {
				wrong = &complaint{codeLong, fmt.Sprintf("pasa de los %d caracteres que la tabla admite: acórtelo", limit)}
			}
		}
		any = true
		if wrong != nil {
			v = unreadable{}
			r.complain(*wrong, r.from[c.Column], rec.row)
		}
		rec.values[slot] = v
	}
	if !any {
		return rec, false // a row with nothing in the columns that count
	}
	r.rows++
	r.last = rec.row
	if !r.complete(&rec) {
		r.leftOut++
		return rec, false
	}
	r.address(&rec)
	return rec, true
}

// complain tells of a cell. Without the id or the name the row is lost too.
func (r *rowReader) complain(wrong complaint, column, row int) {
	switch column {
	case idColumn:
		wrong = complaint{codeID, "el ID debe ser un entero mayor que 0: la fila se dejó fuera"}
	case nameColumn:
		wrong.message += "; la fila se dejó fuera"
	}
	r.faults.add(wrong.code, wrong.message, row, r.header(column))
}

// complete reports whether a row has what it must have; else it was said what
// is missing.
func (r *rowReader) complete(rec *record) bool {
	id, known := rec.values[r.slots[idColumn]].(int64)
	switch name := rec.values[r.slots[nameColumn]]; {
	case rec.values[r.slots[idColumn]] == nil:
		r.faults.add(codeNoID, "la fila no tiene ID: se dejó fuera", rec.row, r.header(idColumn))
		return false
	case !known:
		return false // it was said when the cell was read
	case id < 1:
		r.complain(complaint{}, idColumn, rec.row)
		return false
	case name == nil:
		r.faults.add(codeNoName, "la fila no tiene nombre: se dejó fuera", rec.row, r.header(nameColumn))
		return false
	case name == unreadable{}:
		return false
	}
	if first := r.seen[id]; first != 0 {
		r.faults.add(codeRepeated, fmt.Sprintf("el ID ya está en la fila %d: vale aquella y esta se dejó fuera", first), rec.row, r.header(idColumn))
		return false
	}
	r.seen[id] = rec.row
	rec.id = id
	return true
}

// lacks returns the header of a column in which the table wants a value and the
// row has none; "" if there is none such.
func (r *rowReader) lacks(rec record) string {
	for i, c := range r.columns {
		if c.required && (rec.values[i] == nil || rec.values[i] == unreadable{}) {
			for at, from := range r.from {
				if from >= 0 && r.slots[from] == i {
					return r.headers[at]
				}
			}
		}
	}
	return ""
}

// address derives how one is addressed.
func (r *rowReader) address(rec *record) {
	last := len(r.columns) - 1
	if r.columns[last].name != treatmentName {
		return
	}
	switch kind := rec.values[r.slots[kindColumn]].(type) {
	case string:
		if t := store.Treatment(kind); t != "" {
			rec.values[last] = t
		}
	case unreadable:
		rec.values[last] = kind
	}
}

func (r *rowReader) header(column int) string { return r.headers[slices.Index(r.from, column)] }
