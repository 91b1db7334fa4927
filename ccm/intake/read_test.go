package intake_test

import (
	"testing"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
)

// TestReadsEveryForm holds the cells to the forms of the contract.
func TestReadsEveryForm(t *testing.T) {
	bad := intake.Unreadable
	for _, c := range []struct {
		header, column string
		cells, want    []any
	}{
		{"Cumpleanos", "fecha_nacimiento",
			[]any{46353, 46353.75, "46353", "2026-11-27", "2026/11/27", "2026-11-27 00:00:00", "2026-11-27T00:00:00", "27/11/2026", "27-11-2026", "11/27/2026", "3/4/2026",
				"27-Nov-2026", "27-nov-26", "27 Nov 2026", "27-Ene-2026", "27 sept. 2026", "4-Dic-98", "20261127", 20261127, " 27/11/2026\u00a0", nil,
				"31/2/2026", "13/13/2026", "2026-02-29", "mañana", 60, -5, 3000000, "1/1/1066", "27/11/26", true},
			[]any{"2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-11-27", "2026-04-03",
				"2026-11-27", "2026-11-27", "2026-11-27", "2026-01-27", "2026-09-27", "1998-12-04", "2026-11-27", "2026-11-27", "2026-11-27", nil,
				bad, bad, bad, bad, bad, bad, bad, bad, bad, bad}},
		{"iPad", "ipad",
			[]any{1, "1", true, "TRUE", "Verdadero", "sí", "SI", "x", " X ", "yes", 0, false, "No", "falso", nil, "  ", "quizá", 2, "-"},
			[]any{int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), bad, bad, bad}},
		{"Rama", "rama",
			[]any{14, "14", 14.0, " 14 ", "1.4E1", nil, 14.5, "catorce", 3000000000, "NaN", "Inf"},
			[]any{int64(14), int64(14), int64(14), int64(14), int64(14), nil, bad, bad, bad, bad, bad}},
		{"Pais", "pais",
			[]any{"MÉXICO", "estados unidos", "El salvador", "côte d'ivoire", nil},
			[]any{"México", "Estados Unidos", "El Salvador", "Côte D'Ivoire", nil}},
		{"Folio_P", "folio_pasaporte",
			[]any{"G123 ", 123456789012, 1e15, 0.5, true, nil, "  "},
			[]any{"G123", "123456789012", "1000000000000000", "0.5", "TRUE", nil, nil}},
	} {
		t.Run(c.header, func(t *testing.T) {
			is := is.New(t)
			rows, faults, err := intake.Read(books.Columns(t, c.header, c.cells...))
			is.NoErr(err)
			unreadable := 0
			for i, want := range c.want {
				if got := rows[i][c.column]; got != want {
					t.Errorf("%#v is read as %v, want %v", c.cells[i], got, want)
				}
				if want == bad {
					unreadable++
				}
			}
			is.Equal(len(faults), unreadable)
		})
	}
}

func TestReadsBothEpochs(t *testing.T) {
	is := is.New(t)
	f := excelize.NewFile()
	yes := true
	is.NoErr(f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
	is.NoErr(f.SetSheetRow("Sheet1", "A1", &[]any{"ID", "Nombre_del_misionero", "llego"}))
	is.NoErr(f.SetSheetRow("Sheet1", "A2", &[]any{1, "N", 44891}))
	rows, _, err := intake.Read(books.Save(t, f, "libro.xlsx"))
	is.NoErr(err)
	is.Equal(rows[0]["fecha_llegada"], "2026-11-27")
}

// TestReadsADateInATextColumn shows what a person sees, not a serial.
func TestReadsADateInATextColumn(t *testing.T) {
	is := is.New(t)
	f := excelize.NewFile()
	for _, c := range []struct {
		cell   string
		value  any
		format int
	}{{"A1", "ID", 0}, {"B1", "Nombre_del_misionero", 0}, {"C1", "llego2", 0}, {"A2", 1, 0}, {"B2", "N", 0}, {"C2", 46353, 14},
		{"A3", 2, 0}, {"B3", "N", 0}, {"C3", 46353.6, 22}, {"A4", 3, 0}, {"B4", "N", 0}, {"C4", 0.6, 20}, {"A5", 4, 0}, {"B5", "N", 0}, {"C5", 46353, 1}} {
		style, err := f.NewStyle(&excelize.Style{NumFmt: c.format})
		is.NoErr(err)
		is.NoErr(f.SetCellValue("Sheet1", c.cell, c.value))
		is.NoErr(f.SetCellStyle("Sheet1", c.cell, c.cell, style))
	}
	rows, _, err := intake.Read(books.Save(t, f, "libro.xlsx"))
	is.NoErr(err)
	for i, want := range []any{"2026-11-27", "2026-11-27 14:24", "14:24", "46353"} {
		is.Equal(rows[i]["llegada_secundaria"], want)
	}
}

func TestFindsColumns(t *testing.T) {
	t.Run("by header, whatever its case, accents, blanks and place", func(t *testing.T) {
		is := is.New(t)
		rows, faults, err := intake.Read(books.Make(t, "libro.xlsx",
			[]any{"Generación del 27 de noviembre"}, nil,
			[]any{"Otra cosa", " Nombre del Misionero ", "PAÍS", "Cumpleaños", "compañero", "id"},
			[]any{"z", "Uno", "perú", "1/2/2007", "Dos", 7}))
		is.NoErr(err)
		is.Equal(len(faults), 0)
		is.Equal(rows, []intake.Row{{"id": int64(7), "nombre_misionero": "Uno", "pais": "Perú", "fecha_nacimiento": "2007-02-01", "companero": "Dos"}})
	})
	t.Run("by position where there is no header", func(t *testing.T) {
		is := is.New(t)
		with, _, err := intake.Read(books.People(t, "con.xlsx", 1, 3))
		is.NoErr(err)
		without, faults, err := intake.Read(books.Make(t, "sin.xlsx", books.Person(1), books.Person(2), books.Person(3)))
		is.NoErr(err)
		is.Equal(len(faults), 0)
		is.Equal(without, with)
		is.Equal(len(with[0]), 35)
	})
}

func TestDerivesTheAddress(t *testing.T) {
	is := is.New(t)
	rows, _, err := intake.Read(books.Columns(t, "Tipo", "Eld", "ELDER", "Sis", "Hermana", "otro", nil))
	is.NoErr(err)
	for i, want := range []any{"Elder", "Elder", "Hermana", "Hermana", nil, nil} {
		is.Equal(rows[i]["tratamiento"], want)
	}
}

// TestLeavesRowsOut tells each by row and column, and shows nothing of it.
func TestLeavesRowsOut(t *testing.T) {
	is := is.New(t)
	rows, faults, err := intake.Read(books.Make(t, "libro.xlsx",
		[]any{"ID", "Nombre_del_misionero", "Rama", "iPad"},
		[]any{1, "Uno", 14},
		[]any{nil, "Secreto", 14},
		[]any{3, nil, 14},
		[]any{"Secreto", "Tres"},
		[]any{-3, "Tres"},
		[]any{nil, nil, nil},
		[]any{1, "Secreto", 14},
		[]any{8, "Ocho", "Secreto"}))
	is.NoErr(err)
	is.Equal(len(rows), 2)
	is.Equal(rows[1]["rama"], intake.Unreadable)
	var got []intake.Issue
	for _, f := range faults {
		is.True(f.Message != "")
		f.Message = ""
		got = append(got, f)
	}
	is.Equal(got, []intake.Issue{
		{Code: "missing_id", File: "libro.xlsx", Row: 3, Column: "A (ID)"},
		{Code: "missing_name", File: "libro.xlsx", Row: 4, Column: "B (Nombre_del_misionero)"},
		{Code: "invalid_id", File: "libro.xlsx", Row: 5, Column: "A (ID)"},
		{Code: "invalid_id", File: "libro.xlsx", Row: 6, Column: "A (ID)"},
		{Code: "duplicate_id", File: "libro.xlsx", Row: 8, Column: "A (ID)"},
		{Code: "invalid_integer", File: "libro.xlsx", Row: 9, Column: "C (Rama)"},
	})
}
