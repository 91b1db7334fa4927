package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// levels are the words and the sign of each level.
var levels = map[string]struct{ emoji, word string }{
	"info":    {"ℹ️", "Información"},
	"warning": {"⚠️", "Advertencia"},
	"error":   {"🚨", "Error"},
	"success": {"✅", "Éxito"},
}

// Alert puts an operational message into words: its title, its level in words,
// the body with its lines kept, when it was raised (at, in the centre's zone).
// A level that is not info, warning, error or success counts as info; branch 0
// is not shown.
func Alert(title, body, level string, branch int, at time.Time) telegram.Message {
	l, known := levels[level]
	if !known {
		l = levels["info"]
	}
	kind := l.word
	if branch != 0 {
		kind += fmt.Sprintf(" · Rama %d", branch)
	}
	m := telegram.Message{
		Heading: []telegram.Span{{Text: l.emoji + " "}, {Text: title, Bold: true}},
		Groups:  []telegram.Group{{Lines: [][]telegram.Span{{{Text: kind, Italic: true}}}}},
	}
	for _, paragraph := range paragraphs(body) {
		m.Groups = append(m.Groups, telegram.Group{Lines: paragraph})
	}
	if !at.IsZero() {
		day := store.DateOf(at)
		m.Footer = []telegram.Span{{Text: fmt.Sprintf("%s de %d, %s", capital(longDate(day, day)), day.Year, at.Format("15:04")), Italic: true}}
	}
	return m
}

// paragraphs are the lines of a text, apart where it has an empty line: there a
// long one may be cut.
func paragraphs(text string) [][][]telegram.Span {
	var out [][][]telegram.Span
	var lines [][]telegram.Span
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n") + "\n") {
		line = strings.TrimRight(line, "\n\r\t ")
		if line != "" {
			lines = append(lines, []telegram.Span{{Text: line}})
			continue
		}
		if len(lines) > 0 {
			out, lines = append(out, lines), nil
		}
	}
	if len(lines) > 0 {
		out = append(out, lines)
	}
	return out
}
