package intake

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ccmwf/ccm/ccm/intake/internal/xlsx"
	"github.com/ccmwf/ccm/store"
)

// complaint says what is wrong with a cell; it never shows what stands in it.
type complaint struct{ code, message string }

// reading is how the cells of a sheet are read.
type reading struct{ from1904 bool }

// value is what goes into the table for a cell: a string, an int64 (a boolean
// too), a date as 2006-01-02, or nil for one that has only blanks.
func (r reading) value(c xlsx.Cell, k kind) (any, *complaint) {
	if c.Kind == xlsx.Broken {
		return nil, &complaint{codeFormula, "la fórmula da un error o no tiene resultado guardado: corríjala, o escriba el valor"}
	}
	if !utf8.ValidString(c.Text) {
		return nil, &complaint{codeText, "el texto tiene caracteres dañados: escríbalo de nuevo"}
	}
	words := strings.TrimSpace(c.Text)
	if words == "" {
		return nil, nil
	}
	switch k {
	case integer:
		if n, ok := parseInteger(words); ok {
			return n, nil
		}
		return nil, &complaint{codeInteger, "debe ser un número entero"}
	case boolean:
		if b, ok := parseBoolean(words); ok {
			return b, nil
		}
		return nil, &complaint{codeBoolean, "debe ser sí o no (también 1, true, verdadero, x, yes, o 0, false, falso)"}
	case date:
		if d, ok := r.parseDate(c.Kind, words); ok {
			return d.String(), nil
		}
		return nil, &complaint{codeDate, fmt.Sprintf("debe ser una fecha de %d a %d, como 27/11/2026 o 2026-11-27", firstYear, lastYear)}
	case country:
		return titleCase(words), nil
	default:
		return r.text(c.Kind, words), nil
	}
}

// empty is what goes into the table for no cell at all: nothing, but of a boolean false, as the Python
// service had it, so that its rows are equal to ours.
func empty(k kind) any {
	if k == boolean {
		return int64(0)
	}
	return nil
}

// text is a cell as a person reads it.
func (r reading) text(k xlsx.Kind, words string) string {
	f, err := strconv.ParseFloat(words, 64)
	switch {
	case k == xlsx.Bool && words == "1":
		return "TRUE"
	case k == xlsx.Bool:
		return "FALSE"
	case err != nil || k != xlsx.Number && k != xlsx.Date:
		return words
	case k == xlsx.Date:
		return r.moment(f, words)
	}
	return strconv.FormatFloat(f, 'f', -1, 64) // not 1.23456789012E11
}

// moment is the date, the time of day, or both, that a serial shows.
func (r reading) moment(serial float64, words string) string {
	minutes := int(math.Round((serial - math.Floor(serial)) * 24 * 60))
	clock := fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60)
	d, ok := r.serial(serial)
	switch {
	case serial > 0 && serial < 1:
		return clock
	case !ok:
		return words
	case minutes%(24*60) == 0:
		return d.String()
	}
	return d.String() + " " + clock
}

func parseInteger(words string) (int64, bool) {
	f, err := strconv.ParseFloat(words, 64)
	if err != nil || strings.Contains(words, "_") || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, false
	}
	return int64(f), true
}

var (
	yes = []string{"1", "true", "verdadero", "sí", "si", "x", "yes"}
	no  = []string{"0", "false", "falso", "no"}
)

func parseBoolean(words string) (int64, bool) {
	switch words = strings.ToLower(words); {
	case slices.Contains(yes, words):
		return 1, true
	case slices.Contains(no, words):
		return 0, true
	}
	return 0, false
}

// The years that a date may be in: others are slips.
const (
	firstYear = 1900
	lastYear  = 2199
)

var (
	yearFirst = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})([T ][0-9:.]+Z?)?$`)
	dayFirst  = regexp.MustCompile(`^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$`)
	worded    = regexp.MustCompile(`^(\d{1,2})[- ](\pL{3,4})\.?[- ](\d{4}|\d{2})$`)
	compact   = regexp.MustCompile(`^\d{8}$`)
)

// parseDate reads every form of a date that workbooks have. Of 3/4/2026 the day
// is first, of 11/27/2026 the month.
func (r reading) parseDate(k xlsx.Kind, words string) (store.Date, bool) {
	if f, err := strconv.ParseFloat(words, 64); err == nil && k != xlsx.Bool {
		if f > 1e7 && compact.MatchString(words) {
			return makeDate(number(words[:4]), number(words[4:6]), number(words[6:]))
		}
		return r.serial(f)
	}
	if m := yearFirst.FindStringSubmatch(words); m != nil {
		return makeDate(number(m[1]), number(m[2]), number(m[3]))
	}
	if m := dayFirst.FindStringSubmatch(words); m != nil {
		day, month := number(m[1]), number(m[2])
		if month > 12 {
			day, month = month, day
		}
		return makeDate(number(m[3]), month, day)
	}
	if m := worded.FindStringSubmatch(words); m != nil {
		year := number(m[3])
		switch {
		case len(m[3]) == 4:
		case year >= 69: // as Go and Python have it
			year += 1900
		default:
			year += 2000
		}
		return makeDate(year, monthOf(m[2]), number(m[1]))
	}
	return store.Date{}, false
}

// number is of digits that a pattern has found.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// makeDate is a day of the calendar, if there is such a one.
func makeDate(year, month, day int) (store.Date, bool) {
	d := store.DateOf(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC))
	ok := d.Year == year && int(d.Month) == month && d.Day == day && year >= firstYear && year <= lastYear
	return d, ok
}

// firstSerial is 1 March 1900: what is before it Excel counts wrongly.
// https://learn.microsoft.com/en-us/office/troubleshoot/excel/wrongly-assumes-1900-is-leap-year
const firstSerial = 61

// serial is the day of a number of days; of a time of day only the date counts.
func (r reading) serial(days float64) (store.Date, bool) {
	epoch, first := store.Date{Year: 1899, Month: time.December, Day: 30}, float64(firstSerial)
	if r.from1904 {
		epoch, first = store.Date{Year: 1904, Month: time.January, Day: 1}, 0
	}
	const most = 200_000 // beyond lastYear
	if !(days >= first && days < most) {
		return store.Date{}, false
	}
	d := epoch.AddDays(int(days))
	return d, d.Year <= lastYear
}

// months are by their first three letters, in Spanish and English.
var months = []string{"ene jan", "feb", "mar", "abr apr", "may", "jun", "jul", "ago aug", "sep set", "oct", "nov", "dic dec"}

// monthOf is the month of an abbreviation; 0 if it is none.
func monthOf(word string) int {
	word = strings.ToLower(word)
	if word == "sept" {
		word = "sep"
	}
	for i, names := range months {
		if slices.Contains(strings.Fields(names), word) {
			return i + 1
		}
	}
	return 0
}

// titleCase has each word begin with a capital and go on without, as Python's
// str.title does.
func titleCase(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		first := !inWord
		inWord = unicode.IsLetter(r)
		if first {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}
