package report

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ccmwf/ccm/store"
)

var months = [...]string{"enero", "febrero", "marzo", "abril", "mayo", "junio",
	"julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}

var weekdays = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}

// shortDate is "lunes 30".
func shortDate(d store.Date) string { return weekdays[d.Weekday()] + " " + strconv.Itoa(d.Day) }

// longDate is "lunes 30 de noviembre", with the year where it is not today's.
func longDate(d, today store.Date) string {
	return shortDate(d) + " de " + monthName(d, today)
}

// monthName is "noviembre", or "enero de 2027" where that is not today's year.
func monthName(d, today store.Date) string {
	if d.Year == today.Year {
		return months[d.Month-1]
	}
	return months[d.Month-1] + " de " + strconv.Itoa(d.Year)
}

// distance is "hoy", "mañana" or "en 7 días".
func distance(d, today store.Date) string {
	switch n := d.DaysSince(today); n {
	case 0:
		return "hoy"
	case 1:
		return "mañana"
	default:
		return "en " + strconv.Itoa(n) + " días"
	}
}

// count is "1 distrito" or "2 distritos".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func people(n int) string { return count(n, "misionero", "misioneros") }

// ageWords is "5 min", "3 h" or "2 días".
func ageWords(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", max(int(d.Minutes()), 1))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return count(int(d.Hours()/24), "día", "días")
	}
}

// capital is s with its first letter in upper case.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
