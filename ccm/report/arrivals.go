package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// Arrivals reports who enters the centre: by date its districts, their people
// and weeks. Rows come in any order; a district that a date has twice (two
// departures) is shown once, people added up.
func Arrivals(in Info, rows []store.Arrival) telegram.Message {
	m := telegram.Message{Heading: in.heading("🛬", "Próximos ingresos"), Footer: in.footer()}
	if len(rows) == 0 {
		m.Groups = []telegram.Group{in.nobody("ingresa")}
		return m
	}
	days := arrivalDays(rows)
	districts, total := 0, 0
	for _, d := range days {
		districts += len(d.districts)
		total += d.people()
	}
	m.Groups = append(m.Groups, telegram.Group{Lines: [][]telegram.Span{
		{{Text: in.window() + ":"}},
		{{Text: fmt.Sprintf("%s, %s", count(districts, "distrito", "distritos"), people(total))}},
	}})
	for _, d := range days {
		m.Groups = append(m.Groups, d.group(in.Today))
	}
	return m
}

// arrivalDay is what one date brings.
type arrivalDay struct {
	date      store.Date
	districts []arrivingDistrict
}

type arrivingDistrict struct {
	branch int
	name   string // "14A"
	people int
	weeks  []int
}

func arrivalDays(rows []store.Arrival) []arrivalDay {
	if !slices.IsSortedFunc(rows, byDay) { // a database's are
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, byDay)
	}
	var days []arrivalDay
	for _, row := range rows {
		if len(days) == 0 || days[len(days)-1].date != row.Arrival {
			days = append(days, arrivalDay{date: row.Arrival})
		}
		days[len(days)-1].add(row)
	}
	return days
}

func byDay(a, b store.Arrival) int {
	return cmp.Or(a.Arrival.Compare(b.Arrival), cmp.Compare(a.Branch, b.Branch), cmp.Compare(a.District, b.District))
}

// add takes a row in; those of one district stand together.
func (d *arrivalDay) add(row store.Arrival) {
	name := cmp.Or(row.RDistrict, districtName(row.Branch, row.District))
	n := len(d.districts)
	if n == 0 || d.districts[n-1].branch != row.Branch || d.districts[n-1].name != name {
		d.districts = append(d.districts, arrivingDistrict{branch: row.Branch, name: name})
		n++
	}
	last := &d.districts[n-1]
	last.people += row.Missionaries
	if row.Weeks > 0 && !slices.Contains(last.weeks, row.Weeks) {
		last.weeks = append(last.weeks, row.Weeks)
	}
}

// districtName is "14A": the branch and the district's letter.
func districtName(branch int, district string) string {
	if branch == 0 {
		return district
	}
	return strconv.Itoa(branch) + district
}

func (d *arrivalDay) people() int {
	n := 0
	for _, district := range d.districts {
		n += district.people
	}
	return n
}

func (d *arrivalDay) group(today store.Date) telegram.Group {
	g := telegram.Group{Title: []telegram.Span{
		{Text: capital(longDate(d.date, today)), Bold: true},
		{Text: " · " + distance(d.date, today)},
	}}
	for _, district := range d.districts {
		g.Lines = append(g.Lines, []telegram.Span{{Text: "• " + district.String()}})
	}
	if len(d.districts) > 1 {
		g.Lines = append(g.Lines, []telegram.Span{{Text: "En total, " + people(d.people())}})
	}
	return g
}

// String is "Distrito 14A: 12 misioneros, 6 semanas".
func (d arrivingDistrict) String() string {
	text := "Distrito " + d.name + ": " + people(d.people)
	if len(d.weeks) == 0 {
		return text
	}
	slices.Sort(d.weeks)
	weeks := make([]string, len(d.weeks))
	for i, n := range d.weeks {
		weeks[i] = strconv.Itoa(n)
	}
	unit := "semanas"
	if len(d.weeks) == 1 && d.weeks[0] == 1 {
		unit = "semana"
	}
	return text + ", " + strings.Join(weeks, " y ") + " " + unit
}
