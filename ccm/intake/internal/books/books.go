// Package books makes workbooks for tests, sound and hostile ones.
package books

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"
)

// Headers are those of a workbook, in their order.
var Headers = []any{
	"ID", "iddistric", "Tipo", "Rama", "Distrito", "Pais", "Numero_de_lista", "Numero_de_companerismo", "Nombre_del_misionero", "Companero",
	"Mision_asignada", "Estaca", "Hospedaje", "foto", "llego", "salida", "Generacion", "Comentarios", "Investido", "Cumpleanos", "FotoN",
	"Pasaporte", "Folio_P", "FM", "iPad", "Closet", "llego2", "Pday", "Host", "tres_semanas", "Device", "Correo_Misional", "Correo_Personal",
	"Fecha_Presencial",
}

// Person is a whole row; no name of anybody.
func Person(id int) []any {
	return []any{
		id, "14A", "Elder", 14, "A", "MÉXICO", id % 12, id % 6, fmt.Sprintf("Persona %d de Ejemplo", id), fmt.Sprintf("Persona %d de Ejemplo", id+1),
		"Misión Guatemala Central", "Estaca Monterrey Norte", "Casa 4", fmt.Sprintf("https://fotos.example.org/%d", id), 46356, 46398, 46353,
		fmt.Sprintf("Comentario número %d de esta persona", id), "x", 39145, "sí", "no", fmt.Sprintf("G%08d", id), "FM 12", true, "C-4", "tarde",
		"lunes", false, "no", 1, fmt.Sprintf("p%d@mision.example.org", id), fmt.Sprintf("p%d@casa.example.org", id), "1/12/2026",
	}
}

// Make writes a workbook of rows, the header included, and returns its path.
func Make(tb testing.TB, name string, rows ...[]any) string {
	tb.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	must(tb, err)
	for i, row := range rows {
		must(tb, w.SetRow(fmt.Sprintf("A%d", i+1), row))
	}
	must(tb, w.Flush())
	return Save(tb, f, name)
}

// People writes a workbook of persons with the ids from first to last.
func People(tb testing.TB, name string, first, last int) string {
	tb.Helper()
	rows := [][]any{Headers}
	for id := first; id <= last; id++ {
		rows = append(rows, Person(id))
	}
	return Make(tb, name, rows...)
}

// Columns writes a workbook of an id, a name, and one more column.
func Columns(tb testing.TB, header string, values ...any) string {
	tb.Helper()
	rows := [][]any{{"ID", "Nombre_del_misionero", header}}
	for i, v := range values {
		rows = append(rows, []any{i + 1, "N", v})
	}
	return Make(tb, "libro.xlsx", rows...)
}

// Save saves a workbook in the test's folder.
func Save(tb testing.TB, f *excelize.File, name string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	must(tb, f.SaveAs(path))
	must(tb, f.Close())
	return path
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
