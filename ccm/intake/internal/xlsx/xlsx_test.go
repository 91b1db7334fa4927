package xlsx_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
)

// TestReadsWhatExcelizeReads holds the reader to an older one, over workbooks
// of different programs.
func TestReadsWhatExcelizeReads(t *testing.T) {
	streamed := stream(t, 500, 34)
	for _, path := range []string{streamed, whole(t)} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			is := is.New(t)
			f, err := excelize.OpenFile(path)
			is.NoErr(err)
			defer f.Close()
			want, err := f.GetRows(f.GetSheetName(0), excelize.Options{RawCellValue: true})
			is.NoErr(err)
			is.Equal(read(t, path), want)
		})
	}
}

// read is a sheet as excelize returns it: texts, with "" for what is empty.
func read(t *testing.T, path string) [][]string {
	t.Helper()
	s, err := xlsx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows [][]string
	for s.Next() {
		var row []string
		for _, c := range s.Cells() {
			row = append(append(row, make([]string, c.Column-len(row))...), c.Text)
		}
		rows = append(append(rows, make([][]string, s.Row()-1-len(rows))...), row)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return rows
}

// stream makes a workbook of texts in the cells themselves.
func stream(tb testing.TB, rows, columns int) string {
	tb.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	check(tb, err)
	for r := range rows {
		values := make([]any, columns)
		for c := range values {
			switch c % 4 {
			case 0:
				values[c] = r*100 + c
			case 1:
				values[c] = fmt.Sprintf("texto <%d> & «%d»", r%1000, c)
			case 2:
				values[c] = c%8 == 2
			}
		}
		check(tb, w.SetRow(fmt.Sprintf("A%d", r+1), values))
	}
	check(tb, w.Flush())
	path := filepath.Join(tb.TempDir(), "corrido.xlsx")
	check(tb, f.SaveAs(path))
	return path
}

// whole makes one of shared texts, with gaps, runs, lines and controls.
func whole(tb testing.TB) string {
	tb.Helper()
	f := excelize.NewFile()
	for cell, value := range map[string]any{
		"A1": "uno", "C1": "  con blancos  ", "B3": "dos\nlíneas", "D3": "ñandú & <b>", "A4": 14.5, "B4": -3, "C4": true,
		"A7": "uno", "AA7": "lejos", "A8": "_x0041_ literal",
	} {
		check(tb, f.SetCellValue("Sheet1", cell, value))
	}
	check(tb, f.SetCellRichText("Sheet1", "A9", []excelize.RichTextRun{{Text: "ne", Font: &excelize.Font{Bold: true}}, {Text: "gro"}}))
	path := filepath.Join(tb.TempDir(), "entero.xlsx")
	check(tb, f.SaveAs(path))
	return path
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkRead(b *testing.B) {
	path := stream(b, 5000, 34)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			s, err := xlsx.Open(path)
			check(b, err)
			for s.Next() {
			}
			check(b, s.Err())
			check(b, s.Close())
		}
	})
	b.Run("excelize", func(b *testing.B) {
		for b.Loop() {
			f, err := excelize.OpenFile(path)
			check(b, err)
			rows, err := f.Rows("Sheet1")
			check(b, err)
			for rows.Next() {
				_, err := rows.Columns(excelize.Options{RawCellValue: true})
				check(b, err)
			}
			check(b, f.Close())
		}
	})
}
