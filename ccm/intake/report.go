package intake

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
	"github.com/ccmwf/ccm/store"
)

// MaxFile is how large a workbook may be, in bytes.
const MaxFile = xlsx.MaxFile

// MaxIssues is how many faults a [Report] lists; ErrorCount counts all of them.
const MaxIssues = 200

// MaxIDs is how many ids a dry run lists for each file and outcome.
const MaxIDs = 100

// Codes of a [Source].
const (
	CodeCredentials = "google_credentials"   // it has none that serve
	CodeFolder      = "invalid_drive_folder" // what was given names none
)

// Codes of faults. The first kind stops the whole load, the second one file, the
// third leaves out a row, and the last one cell, in whose place the row has
// nothing, or keeps what the table has.
const (
	codeListing  = "drive_listing_failed"
	codeNone     = "no_workbooks" // of that generation
	codeDatabase = "db_insert_failed"
	codeBusy     = "load_busy"
	codeDownload = "drive_download_failed"
	codeWorkbook = "excel_read_failed"
	codeForm     = "unsupported_workbook" // .xls, or a sheet of Google's
	codeNoColumn = "missing_column"       // of the table: that of the workbook is left out
	codeNoID     = "missing_id"
	codeNoName   = "missing_name"
	codeRequired = "missing_required" // the table wants a value in that column
	codeID       = "invalid_id"
	codeRepeated = "duplicate_id"
	codeFormula  = "formula_error"
	codeText     = "invalid_text"
	codeLong     = "too_long"
	codeInteger  = "invalid_integer"
	codeBoolean  = "invalid_boolean"
	codeDate     = "invalid_date"
)

// Issue is one thing that was left out, and how to mend it. It never shows what
// stands in a cell.
type Issue struct {
	Code    string `json:"code" doc:"Qué falló, para programas."`
	Message string `json:"message" doc:"Qué falló y cómo se remedia; nunca muestra lo que hay en la celda."`
	File    string `json:"file" doc:"El libro; vacío si es de toda la carga."`
	Row     int    `json:"row" doc:"La fila; 0 si es de todo el libro."`
	Column  string `json:"column" doc:"La columna, su letra y su encabezado: «T (Cumpleanos)»; vacía si es de toda la fila."`
}

// FileReport is what one workbook came to.
type FileReport struct {
	ID       string `json:"file_id" doc:"El libro en Drive; vacío si es un archivo local."`
	Name     string `json:"filename" doc:"Su nombre."`
	Rows     int    `json:"rows_total" doc:"Filas con algo, sin el encabezado."`
	Inserted int    `json:"inserted" doc:"Personas nuevas."`
	Updated  int    `json:"updated" doc:"Personas que ya estaban y cambiaron; solo con force."`
	Skipped  int    `json:"skipped" doc:"Personas que ya estaban y quedaron como estaban."`
	LeftOut  int    `json:"left_out" doc:"Filas que se dejaron fuera; errors dice por qué."`

	NewIDs     []int64 `json:"inserted_ids,omitempty" doc:"Con dry_run, los ID que se insertarían, hasta 100."`
	ChangedIDs []int64 `json:"updated_ids,omitempty" doc:"Con dry_run, los ID que se cambiarían, hasta 100."`
}

// Report is what a load came to. Its JSON is that of POST /extraccion_generacion.
type Report struct {
	Generation      string       `json:"fecha_generacion" doc:"La generación, AAAAMMDD; vacía en una carga de archivos."`
	Folder          string       `json:"drive_folder_id" doc:"La carpeta de Drive; vacía en una carga de archivos."`
	DryRun          bool         `json:"dry_run" doc:"Si solo se dice qué pasaría."`
	Files           []FileReport `json:"processed_files" doc:"Los libros que se cargaron, en orden."`
	Inserted        int          `json:"inserted_count" doc:"Personas nuevas."`
	Skipped         int          `json:"skipped_count" doc:"Personas que ya estaban y quedaron como estaban."`
	Updated         int          `json:"updated_count" doc:"Personas que ya estaban y cambiaron; solo con force."`
	LeftOut         int          `json:"left_out_count" doc:"Filas que se dejaron fuera."`
	Failed          int          `json:"failed_count" doc:"Libros que no se pudieron cargar."`
	ErrorCount      int          `json:"error_count" doc:"Cuántos errores hubo; errors lista los primeros 200."`
	Errors          []Issue      `json:"errors" doc:"Lo que se dejó fuera o falló, y cómo se remedia."`
	DurationSeconds float64      `json:"duration_seconds" doc:"Lo que tardó, en segundos."`
	// ContinuationToken is nil always: a load that was cut is run again.
	ContinuationToken *string `json:"continuation_token" doc:"Siempre null: una carga que se cortó se repite entera."`
}

// Complete reports whether nothing was left out: no file, row or cell.
func (r Report) Complete() bool { return r.ErrorCount == 0 }

func newReport(generation store.Date, folder string, o Options) *Report {
	r := &Report{Folder: folder, DryRun: o.DryRun, Files: []FileReport{}, Errors: []Issue{}}
	if !generation.IsZero() {
		r.Generation = fmt.Sprintf("%04d%02d%02d", generation.Year, generation.Month, generation.Day)
	}
	return r
}

// add joins what a file came to.
func (r *Report) add(f FileReport) {
	r.Files = append(r.Files, f)
	r.Inserted += f.Inserted
	r.Updated += f.Updated
	r.Skipped += f.Skipped
	r.LeftOut += f.LeftOut
}

// fault adds faults, as many as the list holds.
func (r *Report) fault(all ...Issue) {
	r.ErrorCount += len(all)
	r.Errors = append(r.Errors, all[:min(len(all), MaxIssues-len(r.Errors))]...)
}

func (r *Report) end(began time.Time) Report {
	r.DurationSeconds = time.Since(began).Seconds()
	return *r
}

// faults are those of one file while it is read: the first ones, and a count.
type faults struct {
	file  string
	list  []Issue
	count int
}

func (f *faults) add(code, message string, row int, column string) {
	f.count++
	if len(f.list) < MaxIssues {
		f.list = append(f.list, Issue{Code: code, Message: message, File: f.file, Row: row, Column: column})
	}
}

func (f *faults) join(more faults) {
	f.count += more.count
	f.list = append(f.list, more.list[:min(len(more.list), MaxIssues-len(f.list))]...)
}

// plain is a name that anybody may have given, without what a terminal obeys.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
}

// joinFaults adds those of a file.
func (r *Report) joinFaults(f faults) {
	r.fault(f.list...)
	r.ErrorCount += f.count - len(f.list)
}

// branches are those that a workbook touched; 0 stands for what is of none.
type branches map[int]struct{}

func (b branches) add(n int64) { b[int(max(n, 0))] = struct{}{} }

func (b branches) sorted() []int {
	all := make([]int, 0, len(b))
	for n := range b {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}
