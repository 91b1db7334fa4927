package intake

import (
	"errors"
	"io"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
)

// Row is a row as it would be written: values by column of the table, nil for
// one that is empty, [Unreadable] for one that could not be read.
type Row map[string]any

// Unreadable stands for a value that could not be read.
const Unreadable = "(unreadable)"

// Read reads a workbook for a table that has every column.
func Read(path string) ([]Row, []Issue, error) {
	sheet, err := xlsx.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer sheet.Close()
	t := &table{columns: map[string]tableColumn{treatmentName: {}}}
	for _, c := range columns {
		t.columns[c.name] = tableColumn{}
	}
	found := faults{file: "libro.xlsx"}
	r, err := openRows(sheet, t, &found)
	if err != nil {
		return nil, found.list, err
	}
	var all []Row
	for {
		batch, err := r.next()
		for _, rec := range batch {
			row := Row{}
			for i, c := range r.columns {
				row[c.name] = rec.values[i]
				if rec.values[i] == (unreadable{}) {
					row[c.name] = Unreadable
				}
			}
			all = append(all, row)
		}
		if errors.Is(err, io.EOF) {
			return all, found.list, nil
		} else if err != nil {
			return all, found.list, err
		}
	}
}
