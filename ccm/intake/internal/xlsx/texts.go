package xlsx

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sharedTexts are the texts that cells refer to by number, one after the other.
type sharedTexts struct {
	all  []byte
	ends []uint32
}

func (t *sharedTexts) at(number string) (string, error) {
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n >= len(t.ends) {
		return "", fail("el libro está dañado: una celda remite a un texto que no está")
	}
	from := uint32(0)
	if n > 0 {
		from = t.ends[n-1]
	}
	return string(t.all[from:t.ends[n]]), nil
}

// readTexts reads the part of the shared texts; a workbook may have none.
func (s *Sheet) readTexts(name string) error {
	if name == "" {
		return nil
	}
	phonetic := false
	s.shared.all = make([]byte, 0, min(s.book.size(name), MaxText+MaxCell)) // once: growing it would double it
	return s.book.scan(name, MaxUnpacked, func(x *scanner) error {
		if x.keep {
			x.keep = false
			s.shared.all = append(s.shared.all, unescapeControl(string(x.text))...)
			if len(s.shared.all) > MaxText {
				return fail("el libro tiene más de %d MiB de texto", MaxText>>20)
			}
		}
		switch {
		case x.opens("rPh"):
			phonetic = !x.alone
		case x.closes("rPh"):
			phonetic = false
		case x.opens("t") && !phonetic:
			x.keep = !x.alone
		}
		if x.closes("si") {
			if len(s.shared.ends) > MaxRows*MaxColumns/8 {
				return fail("el libro tiene demasiados textos")
			}
			s.shared.ends = append(s.shared.ends, uint32(len(s.shared.all)))
		}
		return nil
	})
}

var controlForm = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescapeControl decodes _x000D_ and its like, by which XML holds characters
// that it could not hold itself (ST_Xstring).
func unescapeControl(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return controlForm.ReplaceAllStringFunc(s, func(whole string) string {
		n, err := strconv.ParseUint(whole[2:6], 16, 32)
		if err != nil || !utf8.ValidRune(rune(n)) {
			return whole
		}
		return string(rune(n))
	})
}

// readStyles finds out which styles show dates; a workbook may have none.
func (s *Sheet) readStyles(name string) error {
	if name == "" {
		return nil
	}
	custom, inCells := map[string]bool{}, false
	return s.book.scan(name, maxStyles, func(x *scanner) error {
		switch {
		case x.opens("numFmt"):
			custom[string(x.attr("numFmtId"))] = showsDate(string(unescape(x.attr("formatCode"))))
		case x.opens("cellXfs"):
			inCells = !x.alone
		case x.closes("cellXfs"):
			inCells = false
		case x.opens("xf") && inCells:
			id := string(x.attr("numFmtId"))
			date, known := custom[id]
			s.dates = append(s.dates, date || !known && isDateFormat(id))
		}
		return nil
	})
}

// isDateFormat knows the formats that are built in (ECMA-376, 18.8.30).
func isDateFormat(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && (n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)
}

var literal = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\\.|_.|\*.`)

// showsDate reports whether a number format has a day, month, year or time in it.
func showsDate(format string) bool {
	format, _, _ = strings.Cut(literal.ReplaceAllString(format, ""), ";")
	return !strings.EqualFold(format, "General") && strings.ContainsAny(strings.ToLower(format), "ymdhs")
}

// columnOf returns the column of a reference such as AB12, from 0; -1 if it has
// none.
func columnOf(ref []byte) int {
	n := 0
	for _, c := range ref {
		if c |= 0x20; c < 'a' || c > 'z' {
			break
		}
		if n = n*26 + int(c-'a') + 1; n > 1<<20 {
			return 1 << 20
		}
	}
	return n - 1
}

// ColumnName returns the letters of a column, from 0.
func ColumnName(column int) string {
	name := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}
