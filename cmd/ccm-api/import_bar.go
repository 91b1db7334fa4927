package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/ccmwf/ccm/ccm/intake"
)

const (
	barPause     = 100 * time.Millisecond // between two drawings
	usualColumns = 80                     // of a terminal that does not say
	wideColumns  = 72                     // from which on a line has the long bar and the rows
)

// bar shows on a terminal how far a load is. It returns what draws it, nil where
// there is no terminal, and what takes it away.
func (a *app) bar() (show func(intake.Progress), end func()) {
	terminal, ok := a.err.(*os.File)
	if !ok || a.verbose || !term.IsTerminal(int(terminal.Fd())) {
		return nil, func() {}
	}
	b := &loadBar{out: terminal, now: time.Now, columns: func() int {
		columns, _, _ := term.GetSize(int(terminal.Fd())) // 0 where it fails
		return columns
	}}
	b.draw("preparando la carga…")
	return b.show, b.end
}

// loadBar is one line that is drawn over and over.
type loadBar struct {
	out     io.Writer
	columns func() int // of the terminal, which may change; 0: not known
	now     func() time.Time
	drawn   time.Time
}

func (b *loadBar) show(p intake.Progress) {
	if b.now().Sub(b.drawn) < barPause && p.Done < 1 && !p.Downloading {
		return
	}
	b.drawn = b.now()
	b.draw(drawBar(p, b.width()))
}

func (b *loadBar) draw(line string) { fmt.Fprint(b.out, "\r\033[K"+cut(line, b.width())) }

func (b *loadBar) end() { fmt.Fprint(b.out, "\r\033[K") }

// width is how long a line may be: in the last column the terminal might begin
// another one, which nothing takes away.
func (b *loadBar) width() int {
	columns := b.columns()
	if columns < 1 {
		columns = usualColumns
	}
	return max(columns-1, 1)
}

// drawBar is the bar as one line of so many characters at most.
func drawBar(p intake.Progress, width int) string {
	if p.Downloading {
		return nameOf(p, "trayendo ", "…", width)
	}
	length, rows := 24, ", "+plural(p.Rows, "fila", "filas")
	if width < wideColumns {
		length, rows = 8, ""
	}
	full := int(p.Done * float64(length))
	bar := fmt.Sprintf("[%s%s] %3.0f %%  ", strings.Repeat("█", full), strings.Repeat("·", length-full), p.Done*100)
	return nameOf(p, bar, rows, width)
}

// nameOf puts the name of a workbook, and which one it is, between two texts. It
// is the name that is cut.
func nameOf(p intake.Progress, before, after string, width int) string {
	if p.Of > 1 {
		after = fmt.Sprintf(" (%d de %d)%s", p.Number, p.Of, after)
	}
	room := width - utf8.RuneCountInString(before) - utf8.RuneCountInString(after)
	return before + cut(p.File, max(room, 1)) + after
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
