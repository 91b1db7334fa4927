package intake_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
)

// TestRefusesSheetsThatAreNotOurs wants an error of the whole workbook, for what
// the format allows and the load does not; package xlsx has the hostile files.
func TestRefusesSheetsThatAreNotOurs(t *testing.T) {
	for _, c := range []struct {
		name, says string
		make       func(*excelize.File) error
	}{
		{"an empty sheet", "no es la de una generación", func(*excelize.File) error { return nil }},
		{"another sheet first", "no es la de una generación: ninguna de sus primeras filas tiene los encabezados ID y Nombre_del_misionero", func(f *excelize.File) error {
			return f.SetSheetCol("Sheet1", "A1", &[]string{"Resumen", "de", "gastos"})
		}},
		{"a header without the name", "no es la de una generación", func(f *excelize.File) error {
			return f.SetSheetRow("Sheet1", "A1", &[]string{"ID", "Rama", "Distrito"})
		}},
		{"a header twice", "el encabezado Rama está dos veces", func(f *excelize.File) error {
			return f.SetSheetRow("Sheet1", "A1", &[]string{"ID", "Nombre del misionero", "Rama", "RAMA"})
		}},
		{"merged cells among the data", "las celdas C2:C4 están combinadas", func(f *excelize.File) error {
			return firstError(f.SetSheetRow("Sheet1", "A1", &[]string{"ID", "Nombre del misionero", "Rama"}),
				f.SetSheetRow("Sheet1", "A2", &[]any{1, "Uno", 14}), f.SetSheetRow("Sheet1", "A3", &[]any{2, "Dos"}), f.SetSheetRow("Sheet1", "A4", &[]any{3, "Tres"}),
				f.MergeCell("Sheet1", "C2", "C4"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			f := excelize.NewFile()
			is.NoErr(c.make(f))
			_, _, err := intake.Read(books.Save(t, f, "libro.xlsx"))
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), c.says))
		})
	}
}

func TestReadsMergedTitles(t *testing.T) {
	is := is.New(t)
	f := excelize.NewFile()
	is.NoErr(firstError(f.SetCellValue("Sheet1", "A1", "Generación"), f.MergeCell("Sheet1", "A1", "D1"),
		f.SetSheetRow("Sheet1", "A2", &[]string{"ID", "Nombre del misionero"}), f.SetSheetRow("Sheet1", "A3", &[]any{1, "Uno"}),
		f.MergeCell("Sheet1", "F3", "F9"))) // in no column of ours
	rows, _, err := intake.Read(books.Save(t, f, "libro.xlsx"))
	is.NoErr(err)
	is.Equal(len(rows), 1)
}

func TestTellsFormulas(t *testing.T) {
	is := is.New(t)
	f := excelize.NewFile()
	is.NoErr(firstError(f.SetSheetRow("Sheet1", "A1", &[]string{"ID", "Nombre del misionero", "Rama", "Distrito"}),
		f.SetSheetRow("Sheet1", "A2", &[]any{1, "Uno"}), f.SetCellFormula("Sheet1", "C2", "Z9+1"), f.SetCellDefault("Sheet1", "D2", "#REF!")))
	rows, faults, err := intake.Read(books.Save(t, f, "libro.xlsx"))
	is.NoErr(err)
	is.Equal(rows[0]["rama"], intake.Unreadable)
	is.Equal(faults[0].Code, "formula_error")
	is.Equal(faults[0].Column, "C (Rama)")
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
