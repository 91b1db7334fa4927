package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
)

// TestBarDraws has the lines that a person sees, one over the other.
func TestBarDraws(t *testing.T) {
	const long = "20261127_un_libro_con_un_nombre_muy_largo_para_la_línea.xlsx"
	steps := []struct {
		after time.Duration
		intake.Progress
	}{
		{0, intake.Progress{File: long, Number: 1, Of: 2, Downloading: true}},
		{0, intake.Progress{File: long, Number: 1, Of: 2, Done: 0.1, Rows: 500}}, // too soon
		{barPause, intake.Progress{File: long, Number: 1, Of: 2, Done: 0.5, Rows: 13500}},
		{0, intake.Progress{File: long, Number: 1, Of: 2, Done: 1, Rows: 1}},
		{barPause, intake.Progress{File: "uno.xlsx", Number: 1, Of: 1, Done: 0.25, Rows: 2}},
	}
	for _, c := range []struct {
		columns int
		lines   []string
	}{
		{80, []string{
			"trayendo 20261127_un_libro_con_un_nombre_muy_largo_para_la_línea.xlsx (1 de 2)…",
			"[████████████············]  50 %  20261127_un_libro_con_… (1 de 2), 13500 filas",
			"[████████████████████████] 100 %  20261127_un_libro_con_un_no… (1 de 2), 1 fila",
			"[██████··················]  25 %  uno.xlsx, 2 filas",
		}},
		{40, []string{
			"trayendo 20261127_un_libro_c… (1 de 2)…",
			"[████····]  50 %  20261127_un… (1 de 2)",
			"[████████] 100 %  20261127_un… (1 de 2)",
			"[██······]  25 %  uno.xlsx",
		}},
		{12, []string{"trayendo ……", "[████····]…", "[████████]…", "[██······]…"}},
	} {
		is := is.New(t)
		var out bytes.Buffer
		now := time.Now()
		b := &loadBar{out: &out, columns: func() int { return c.columns }, now: func() time.Time { return now }}
		for _, s := range steps {
			now = now.Add(s.after)
			b.show(s.Progress)
		}
		b.end()
		drawn := strings.Split(out.String(), "\r\033[K")
		is.Equal(drawn[0], "")
		is.Equal(drawn[len(drawn)-1], "") // nothing is left
		is.Equal(drawn[1:len(drawn)-1], c.lines)
		for _, line := range drawn {
			is.True(utf8.RuneCountInString(line) < c.columns) // else the terminal goes on in the next line
		}
	}
}
