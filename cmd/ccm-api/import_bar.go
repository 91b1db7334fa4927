package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ccmwf/ccm/ccm/intake"
)

const (
	barWidth = 24
	barPause = 100 * time.Millisecond // between two drawings
)

// bar shows on a terminal how far a load is. It returns what draws it, nil where
// there is no terminal, and what takes it away.
func (a *app) bar() (show func(intake.Progress), end func()) {
	terminal, ok := a.err.(*os.File)
	if !ok || a.verbose || !term.IsTerminal(int(terminal.Fd())) {
		return nil, func() {}
	}
	var drawn time.Time
	show = func(p intake.Progress) {
		if time.Since(drawn) < barPause && p.Done < 1 && !p.Downloading {
			return
		}
		drawn = time.Now()
		fmt.Fprint(terminal, "\r\033[K"+drawBar(p))
	}
	return show, func() { fmt.Fprint(terminal, "\r\033[K") }
}

// drawBar is the bar as one line.
func drawBar(p intake.Progress) string {
	which := p.File
	if p.Of > 1 {
		which = fmt.Sprintf("%s (%d de %d)", p.File, p.Number, p.Of)
	}
	if p.Downloading {
		return "trayendo " + which + "…"
	}
	full := int(p.Done * barWidth)
	return fmt.Sprintf("[%s%s] %3.0f %%  %s, %s", strings.Repeat("█", full), strings.Repeat("·", barWidth-full), p.Done*100, which, plural(p.Rows, "fila", "filas"))
}
