package xlsx_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
)

// The most that a hostile file may cost: of memory by the issue, of time what
// tells a hang from a busy machine.
const (
	mostMemory = 64 << 20
	hang       = 20 * time.Second
)

// TestRefusesHostileFiles wants a clear error for each, and little memory.
func TestRefusesHostileFiles(t *testing.T) {
	for _, c := range []struct {
		name, says string
		make       func(testing.TB) string
	}{
		{"nothing", "no se puede leer el archivo", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "no-hay.xlsx") }},
		{"a folder", "es una carpeta", func(tb testing.TB) string { return tb.TempDir() }},
		{"empty", "está vacío", raw("")},
		{"an .xls", "es un .xls antiguo o un libro con contraseña", raw("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("x", 4096))},
		{"HTML", "es una página HTML", raw("\xEF\xBB\xBF\n<html><table><tr><td>ID</td></tr></table></html>")},
		{"CSV", "no es un libro .xlsx", raw("ID,Nombre\n1,Uno\n")},
		{"too large", "pasa de 16 MiB", sparse(xlsx.MaxFile + 1)},
		{"a zip of something else", "no es un libro .xlsx: le falta _rels/.rels", packed(map[string]string{"hola.txt": "hola"})},
		{"cut in half", "está dañado o incompleto", cut},
		{"a damaged part", "está dañado o incompleto", damaged},
		{"a bomb", "se desempaqueta a más de 256 MiB", bomb(10<<30, false)},
		{"a bomb that lies", "se desempaqueta a más de lo que dice|está dañado", bomb(2<<20, true)},
		{"a bomb of blanks within the limit", "", sheetOf(strings.Repeat(" ", 64<<20))},
		{"a bomb of texts", "más de 16 MiB de texto", texts},
		{"a million empty rows", "más de 100000 filas", sheetOf(strings.Repeat("<row/>", 1_000_000))},
		{"16 384 columns", "la fila 1 tiene algo más allá de la columna IV", wide},
		{"a cell of megabytes", "más de 256 KiB de texto", sheetOf(`<row r="1"><c t="inlineStr"><is><t>` + strings.Repeat("x", 2<<20) + `</t></is></c></row>`)},
		{"a tag of megabytes", "etiqueta XML de más de 64 KiB", sheetOf(`<row r="1" ` + strings.Repeat("x", 2<<20) + `></row>`)},
		{"a cell of many pieces", "más de 256 KiB de texto", sheetOf(`<row><c t="inlineStr"><is>` + strings.Repeat("<r><t>xxxxxxxx</t></r>", 100_000) + `</is></c></row>`)},
		{"entities that grow", "DOCTYPE", sheetOf(`<!DOCTYPE lolz [<!ENTITY lol "lol">]><row r="1"/>`)},
		{"a text that is not there", "remite a un texto que no está", sheetOf(`<row r="1"><c t="s"><v>7</v></c></row>`)},
		{"a list of a hundred thousand parts", "demasiadas partes", crowded},
		{"many merged cells", "más de 1000 bloques", sheetOf(`</sheetData>` + strings.Repeat(`<mergeCell ref="A1:B2"/>`, 2000))},
		{"no sheet", "no tiene ninguna hoja", packed(map[string]string{
			"_rels/.rels": relations("officeDocument", "xl/workbook.xml"), "xl/workbook.xml": "<workbook/>", "xl/_rels/workbook.xml.rels": "<Relationships/>"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			path := c.make(t)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			err := readAll(path)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d KiB allocated: %v", took, (after.TotalAlloc-before.TotalAlloc)>>10, err)
			if c.says == "" {
				is.NoErr(err)
			} else {
				is.True(err != nil)
				_, ours := errors.AsType[*xlsx.Error](err)
				is.True(ours)
				found := false
				for text := range strings.SplitSeq(c.says, "|") {
					found = found || strings.Contains(err.Error(), text)
				}
				is.True(found)
			}
			is.True(after.TotalAlloc-before.TotalAlloc < mostMemory)
			is.True(took < hang)
		})
	}
}

func readAll(path string) error {
	s, err := xlsx.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Next() {
	}
	return s.Err()
}

func raw(content string) func(testing.TB) string {
	return func(tb testing.TB) string {
		path := filepath.Join(tb.TempDir(), "libro.xlsx")
		check(tb, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
}

func sparse(size int64) func(testing.TB) string {
	return func(tb testing.TB) string {
		path := raw("PK\x03\x04")(tb)
		check(tb, os.Truncate(path, size))
		return path
	}
}

func packed(parts map[string]string) func(testing.TB) string {
	return func(tb testing.TB) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
		for name, content := range parts {
			part, err := w.Create(name)
			check(tb, err)
			_, err = io.WriteString(part, content)
			check(tb, err)
		}
		check(tb, w.Close())
		return raw(b.String())(tb)
	}
}

func relations(kind, target string) string {
	return fmt.Sprintf(`<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>`, kind, target)
}

// parts are those of a workbook whose sheet has these rows.
func parts(rows string) map[string]string {
	return map[string]string{
		"_rels/.rels":                relations("officeDocument", "xl/workbook.xml"),
		"xl/workbook.xml":            `<workbook><sheets><sheet name="Hoja1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": relations("worksheet", "worksheets/sheet1.xml"),
		"xl/worksheets/sheet1.xml":   `<?xml version="1.0"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	}
}

func sheetOf(rows string) func(testing.TB) string { return packed(parts(rows)) }

func wide(tb testing.TB) string {
	var b strings.Builder
	b.WriteString(`<row r="1">`)
	for i := range 16384 {
		fmt.Fprintf(&b, `<c r="%s1"><v>1</v></c>`, xlsx.ColumnName(i))
	}
	return sheetOf(b.String() + "</row>")(tb)
}

func texts(tb testing.TB) string {
	all := parts("")
	all["xl/_rels/workbook.xml.rels"] = strings.Replace(all["xl/_rels/workbook.xml.rels"], "<Relationships>",
		`<Relationships><Relationship Id="rId2" Type="x/sharedStrings" Target="sharedStrings.xml"/>`, 1)
	all["xl/sharedStrings.xml"] = "<sst>" + strings.Repeat("<si><t>"+strings.Repeat("x", 1000)+"</t></si>", 100_000) + "</sst>"
	return packed(all)(tb)
}

func cut(tb testing.TB) string {
	path := stream(tb, 50, 10)
	info, err := os.Stat(path)
	check(tb, err)
	check(tb, os.Truncate(path, info.Size()/2))
	return path
}

// damaged has other bytes in the middle of its sheet, which comes first.
func damaged(tb testing.TB) string {
	path := stream(tb, 500, 10)
	data, err := os.ReadFile(path)
	check(tb, err)
	copy(data[2000:], strings.Repeat("\xff", 200))
	check(tb, os.WriteFile(path, data, 0o600))
	return path
}

// bomb is a sheet that unpacks to size bytes, which its header may deny.
func bomb(size int64, lies bool) func(testing.TB) string {
	return func(tb testing.TB) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for name, content := range parts("") {
			if strings.HasSuffix(name, "sheet1.xml") {
				continue
			}
			part, err := w.Create(name)
			check(tb, err)
			_, err = io.WriteString(part, content)
			check(tb, err)
		}
		blanks, written := deflated(tb, min(size, 2<<20)) // of one that is refused by its header no more is needed
		declared := uint64(size)
		if lies {
			declared = 1000
		}
		part, err := w.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, UncompressedSize64: declared, CompressedSize64: uint64(written)})
		check(tb, err)
		_, err = part.Write(blanks)
		check(tb, err)
		check(tb, w.Close())
		return raw(b.String())(tb)
	}
}

func deflated(tb testing.TB, size int64) ([]byte, int) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	check(tb, err)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range size >> 20 {
		_, err := w.Write(block)
		check(tb, err)
	}
	check(tb, w.Close())
	return b.Bytes(), b.Len()
}

// crowded has a long list of empty parts, and denies it where the list ends.
func crowded(tb testing.TB) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range 100_000 {
		_, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("x%d", i)})
		check(tb, err)
	}
	check(tb, w.Close())
	data := b.Bytes()
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(data[end+8:], 4)
	binary.LittleEndian.PutUint16(data[end+10:], 4)
	return raw(string(data))(tb)
}
