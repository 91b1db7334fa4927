package intake_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
)

// update has LibreOffice write its workbooks anew: go test ./ccm/intake -run
// LibreOffice -update, on a machine with Debian's libreoffice-calc-nogui.
var update = flag.Bool("update", false, "make LibreOffice's workbooks anew, with soffice")

// TestLibreOfficeAndExcelizeGiveTheSame reads a workbook that LibreOffice wrote,
// and the same one of excelize's.
func TestLibreOfficeAndExcelizeGiveTheSame(t *testing.T) {
	for _, c := range []struct {
		file     string
		from1904 bool
	}{{"libreoffice.xlsx", false}, {"libreoffice-1904.xlsx", true}} {
		t.Run(c.file, func(t *testing.T) {
			is := is.New(t)
			fixture := filepath.Join("testdata", c.file)
			if *update {
				convert(t, forms(t, c.from1904, true), fixture)
			}
			theirs, theirIssues, err := intake.Read(fixture)
			is.NoErr(err)
			ours, ourIssues, err := intake.Read(forms(t, c.from1904, false))
			is.NoErr(err)
			is.Equal(len(theirs), 4)
			for i := range ours {
				is.Equal(theirs[i], ours[i])
			}
			is.Equal(theirIssues, ourIssues)
			is.Equal(len(ourIssues), 3)
			is.Equal(theirs[0]["fecha_nacimiento"], "2007-03-04")
			is.Equal(theirs[0]["rama"], int64(14))
			is.Equal(theirs[2]["fecha_nacimiento"], intake.Unreadable)
		})
	}
}

// forms is a workbook with every kind of cell. LibreOffice computes formulas
// when it opens one; excelize does not, so that its own has their results.
func forms(tb testing.TB, from1904, formulas bool) string {
	tb.Helper()
	f := excelize.NewFile()
	must(tb, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &from1904}))
	must(tb, f.SetSheetRow("Sheet1", "A1", &books.Headers))
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for i, cell := range []string{"A2", "A3", "A4", "A5"} {
		row := books.Person(i + 1)
		for at, v := range map[int]any{14: day(2026, 11, 30), 15: "11/1/2027", 16: "27-Nov-2026", 19: day(2007, 3, 4), 26: day(2026, 12, 1), 24: true} {
			row[at] = v
		}
		must(tb, f.SetSheetRow("Sheet1", cell, &row))
	}
	if formulas {
		must(tb, f.SetCellFormula("Sheet1", "D2", "7+7"))
		must(tb, f.SetCellFormula("Sheet1", "I3", `"Persona "&"2 de Ejemplo"`))
	}
	must(tb, f.SetCellValue("Sheet1", "D4", nil))
	must(tb, f.SetCellFormula("Sheet1", "D4", "1/0"))
	must(tb, f.SetCellValue("Sheet1", "T4", "nunca"))
	must(tb, f.SetCellValue("Sheet1", "Y4", "quizá"))
	must(tb, f.SetCellRichText("Sheet1", "R5", []excelize.RichTextRun{{Text: "con ", Font: &excelize.Font{Bold: true}}, {Text: "negrita\ny línea & <signos>"}}))
	must(tb, f.SetCellValue("Sheet1", "W5", 123456789012))
	must(tb, f.SetCellValue("Sheet1", "Z5", nil))
	return books.Save(tb, f, "formas.xlsx")
}

// convert has LibreOffice read a workbook and write it as its own.
func convert(tb testing.TB, from, to string) {
	tb.Helper()
	dir := tb.TempDir()
	cmd := exec.Command("soffice", "-env:UserInstallation=file://"+dir+"/perfil", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", dir+"/hecho", from)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("soffice: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "hecho", filepath.Base(from)))
	must(tb, err)
	must(tb, os.MkdirAll(filepath.Dir(to), 0o755))
	must(tb, os.WriteFile(to, data, 0o644))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
