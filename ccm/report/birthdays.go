package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// Birthdays reports whose birthday comes: by month, then day, how one is
// addressed, name, district and the age turned. Rows come in any order.
func Birthdays(in Info, rows []store.Birthday) telegram.Message {
	m := telegram.Message{Heading: in.heading("🎂", "Próximos cumpleaños"), Footer: in.footer()}
	if len(rows) == 0 {
		m.Groups = []telegram.Group{in.nobody("cumple años")}
		return m
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b store.Birthday) int {
		return cmp.Or(a.Birthday.Compare(b.Birthday), cmp.Compare(a.Branch, b.Branch),
			cmp.Compare(a.District, b.District), cmp.Compare(a.Name, b.Name))
	})
	m.Groups = append(m.Groups, telegram.Group{Lines: [][]telegram.Span{
		{{Text: in.window() + ":"}},
		{{Text: count(len(rows), "cumpleaños", "cumpleaños")}},
	}})
	var day store.Date
	for i, row := range rows {
		if i == 0 || row.Birthday.Month != day.Month || row.Birthday.Year != day.Year {
			m.Groups = append(m.Groups, telegram.Group{
				Title: []telegram.Span{{Text: capital(monthName(row.Birthday, in.Today)), Bold: true}},
			})
		}
		month := &m.Groups[len(m.Groups)-1]
		if row.Birthday != day {
			day = row.Birthday
			month.Lines = append(month.Lines, dayLine(day, in.Today))
		}
		month.Lines = append(month.Lines, []telegram.Span{{Text: "• " + celebrant(row)}})
	}
	return m
}

// dayLine is "Hoy, lunes 30" or "Sábado 5 · en 5 días".
func dayLine(d, today store.Date) []telegram.Span {
	near := distance(d, today)
	if d.DaysSince(today) <= 1 {
		return []telegram.Span{{Text: capital(near) + ", " + shortDate(d), Bold: d == today}}
	}
	return []telegram.Span{{Text: capital(shortDate(d)) + " · " + near}}
}

// celebrant is "Elder Juan Pérez (14A) cumple 20 años".
func celebrant(b store.Birthday) string {
	text := address(b.Treatment, b.Name)
	if b.District != "" {
		text += " (" + districtName(b.Branch, b.District) + ")"
	}
	if b.Turning > 0 {
		text += " cumple " + count(b.Turning, "año", "años")
	}
	return text
}

// address puts how one is addressed before the name, unless the name has it. A
// treatment of several words ("Elder Pérez") stands beside the whole name.
func address(treatment, name string) string {
	switch {
	case treatment == "" || strings.HasPrefix(name, treatment):
		return name
	case strings.Contains(treatment, " "):
		return fmt.Sprintf("%s, %s", treatment, name)
	}
	return treatment + " " + name
}
