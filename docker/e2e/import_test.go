package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/drivetest"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// workbook is one of people of branch 14 who arrive in a week, with the ids from
// first to last; the one with id bad has a birthday that is none.
func workbook(tb testing.TB, first, last, bad int) []byte {
	tb.Helper()
	f := excelize.NewFile()
	rows := [][]any{{"ID", "Tipo", "Rama", "Distrito", "Nombre_del_misionero", "llego", "salida", "Generacion", "Cumpleanos"}}
	arrival := time.Now().AddDate(0, 0, 7)
	for id := first; id <= last; id++ {
		birthday := "3/4/2007"
		if id == bad {
			birthday = "Secreto"
		}
		rows = append(rows, []any{id, "Eld", 14, "A", fmt.Sprintf("Persona Secreta %d", id), arrival.Format("2/1/2006"), arrival.AddDate(0, 0, 42).Format(time.DateOnly),
			arrival.AddDate(0, 0, -14).Format("20060102"), birthday})
	}
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			tb.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// googleEnv is a fake Drive whose folder «carpeta» a service account sees, and
// the settings that lead there.
func googleEnv(tb testing.TB) (*drivetest.Server, []string) {
	tb.Helper()
	tokens, drive := oauthtest.NewServer(tb), drivetest.New()
	drive.Allow = func(r *http.Request) bool {
		_, ok := tokens.Bearer(r)
		return ok
	}
	drive.Add(drivetest.File{ID: "carpeta", Name: "Adjuntos", MIME: drivetest.Folder})
	server := httptest.NewServer(drive)
	tb.Cleanup(server.Close)
	return drive, []string{
		"GOOGLE_APPLICATION_CREDENTIALS=" + oauthtest.WriteFile(tb, tokens.ServiceAccount()),
		"GOOGLE_DRIVE_ATTACHMENTS_FOLDER_ID=carpeta",
		"GOOGLE_DRIVE_API_URL=" + server.URL + strings.TrimSuffix(drivetest.Path, "/"),
	}
}

func TestImport(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			is := is.New(t)
			url := db.url(t)
			env := []string{"DATABASE_URL=" + url}
			exit, out := runCommand(t, env, "migrate", "up")
			t.Log(out)
			is.Equal(exit, 0)
			path := filepath.Join(t.TempDir(), "20261127.xlsx")
			is.NoErr(os.WriteFile(path, workbook(t, 1, 30, 7), 0o600))

			exit, out = runCommand(t, env, "importar", path, "--simular", "--tolerante")
			is.Equal(exit, 0)
			is.True(strings.Contains(out, "Simulación: no se escribió nada."))
			is.True(strings.Contains(out, "20261127.xlsx  30     30      0          0           0"))
			is.True(strings.Contains(out, "20261127.xlsx, nuevas: ID 1 2 3 4"))
			is.Equal(count(t, url), 0)

			exit, out = runCommand(t, env, "import", path)
			t.Log(out)
			is.Equal(exit, 1) // a cell was left out
			is.True(strings.Contains(out, "20261127.xlsx, fila 8, columna I (Cumpleanos): debe ser una fecha de 1900 a 2199"))
			is.True(!strings.Contains(out, "Secret"))
			is.Equal(count(t, url), 30)

			exit, out = runCommand(t, env, "import", path, "--lenient", "--force", "-o", "json")
			is.Equal(exit, 0)
			var r intake.Report
			is.NoErr(json.Unmarshal([]byte(out), &r))
			is.Equal([]int{r.Inserted, r.Updated, r.Skipped, r.ErrorCount}, []int{0, 0, 30, 1})

			exit, out = runCommand(t, env, "import", filepath.Join(t.TempDir(), "no-hay.xlsx"), "--lenient")
			is.Equal(exit, 1) // no workbook at all
			is.True(strings.Contains(out, "no-hay.xlsx: no se puede leer el archivo"))
		})
	}
}

func TestImportFromDrive(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	drive, env := googleEnv(t)
	env = append(env, "DATABASE_URL="+url)
	exit, _ := runCommand(t, env, "migrate", "up")
	is.Equal(exit, 0)
	drive.Add(drivetest.File{ID: "a", Folder: "carpeta", Name: "20261127_A.xlsx", Content: workbook(t, 1, 20, 0)},
		drivetest.File{ID: "b", Folder: "carpeta", Name: "20261127_B.xlsx", Content: workbook(t, 11, 40, 0), Shared: true},
		drivetest.File{ID: "c", Folder: "carpeta", Name: "20261120.xlsx", Content: workbook(t, 100, 110, 0)})
	drive.Script(drivetest.Fault{Op: drivetest.Download, Cut: 3000})
	exit, out := runCommand(t, env, "import", "--generacion", "2026-11-27")
	t.Log(out)
	is.Equal(exit, 0)
	is.True(strings.Contains(out, "2 libros"))
	is.Equal(count(t, url), 40)
	exit, out = runCommand(t, env, "import", "--carpeta", "ninguna", "--generacion", "20261127")
	is.Equal(exit, 1)
	is.True(strings.Contains(out, "no existe, o no está compartida con la cuenta"))
	exit, out = runCommand(t, env, "import", "--generacion", "20271127")
	is.Equal(exit, 1)
	is.True(strings.Contains(out, "ningún libro .xlsx de la generación 20271127"))
}

// TestExtraction loads over HTTP what the reports then show.
func TestExtraction(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	drive, env := googleEnv(t)
	s := serve(t, append(env, "DATABASE_URL="+url, "CCM_MIGRATE=true", "RAMA_ACTUAL=14")...)
	status, a := s.post(arrivals, `{"days_ahead": 30, "dry_run": true}`)
	is.Equal(status, http.StatusOK)
	is.Equal(a.DatasetRecords, 0)

	status, a = s.post("/extraccion_generacion", `{"fecha_generacion": "20261127"}`)
	is.Equal(status, http.StatusNotFound) // there is nothing yet
	is.True(!a.Success)
	drive.Add(drivetest.File{ID: "a", Folder: "carpeta", Name: "20261127.xlsx", Content: workbook(t, 1, 20, 3)})
	status, a = s.post("/extraccion_generacion", `{"fecha_generacion": "20261127", "dry_run": true}`)
	is.Equal(status, http.StatusOK)
	is.Equal(count(t, url), 0)
	status, a = s.post("/extraccion_generacion", `{"fecha_generacion": "20261127"}`)
	is.Equal(status, http.StatusOK)
	is.True(a.Success)
	is.Equal(count(t, url), 20)
	status, a = s.post(arrivals, `{"days_ahead": 30, "dry_run": true}`)
	is.Equal(status, http.StatusOK)
	is.Equal(a.DatasetRecords, 1) // what was cached is gone

	s.said(`"mensaje":"carga terminada, y algo se dejó fuera"`)
	is.True(!strings.Contains(s.log.String(), "Secret"))
	is.Equal(s.stop(), 0)
}

func count(tb testing.TB, url string) (n int) {
	tb.Helper()
	if err := open(tb, url).QueryRow("SELECT COUNT(*) FROM ccm_generaciones").Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}
