package report_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// today is a Monday whose window of 60 days crosses the year's end.
var today = store.Date{Year: 2026, Month: time.November, Day: 23}

func info() report.Info {
	return report.Info{
		Branch: 14, Today: today, Days: 60,
		LoadedAt: time.Date(2026, time.November, 23, 14, 5, 0, 0, time.FixedZone("", -6*3600)),
	}
}

func stale() report.Info {
	in := info()
	in.LoadedAt = in.LoadedAt.Add(-15 * time.Hour)
	in.Stale, in.Age, in.Skipped = true, 15*time.Hour, 2
	return in
}

func everyBranch() report.Info {
	in := info()
	in.Branch, in.Skipped = 0, 1
	return in
}

func arrival(day, branch int, district string, people, weeks int) store.Arrival {
	return store.Arrival{
		District: district, RDistrict: fmt.Sprint(branch, district), Branch: branch,
		Arrival: today.AddDays(day), Departure: today.AddDays(day + 7*weeks), Missionaries: people, Weeks: weeks, Status: "Virtual",
	}
}

func birthday(day, branch int, district, treatment, name string, age int) store.Birthday {
	return store.Birthday{ID: day + 1, Branch: branch, District: district, Treatment: treatment, Name: name, Birthday: today.AddDays(day), Turning: age, Status: "CCM"}
}

// messages are the golden files' contents, by name.
func messages() map[string]telegram.Message {
	at := time.Date(2026, time.November, 23, 2, 7, 0, 0, time.FixedZone("", -6*3600))
	return map[string]telegram.Message{
		"arrivals": report.Arrivals(info(), []store.Arrival{
			arrival(46, 14, "C", 1, 3), arrival(0, 14, "A", 12, 6), arrival(0, 14, "B", 10, 3),
			arrival(1, 14, "D", 8, 6), arrival(1, 14, "D", 4, 3), arrival(7, 14, "E", 11, 6),
		}),
		"arrivals_every_branch": report.Arrivals(everyBranch(), []store.Arrival{arrival(2, 14, "A", 12, 6), arrival(2, 9, "A", 1, 3)}),
		"arrivals_stale":        report.Arrivals(stale(), []store.Arrival{arrival(2, 14, "A", 12, 6)}),
		"arrivals_none":         report.Arrivals(info(), nil),
		"birthdays": report.Birthdays(info(), []store.Birthday{
			birthday(40, 14, "A", "Hermana", "Lucía Ñúñez", 20), birthday(0, 14, "B", "Elder", "Mateo O'Brien & Ñúñez", 19),
			birthday(0, 14, "A", "Elder Soto", "Hugo Soto Lara", 21), birthday(1, 14, "A", "Hermana", "Ana <b>Ruiz</b>", 18),
			birthday(5, 14, "", "", "Sin Tratamiento", 0), birthday(99, 14, "C", "Elder", "Elder Tomás Rey", 1),
		}),
		"birthdays_stale": report.Birthdays(stale(), []store.Birthday{birthday(1, 14, "A", "Hermana", "Ana Ruiz", 18)}),
		"birthdays_none":  report.Birthdays(report.Info{Today: today, Days: 1}, nil),
		"alert_warning":   report.Alert("Respaldo atrasado", "El respaldo terminó 40 minutos tarde.\r\nEspacio libre: 12 % <disco>\n\n  Revise /var & reinicie.\n", "warning", 14, at),
		"alert_error":     report.Alert("MySQL no responde", "Sin respuesta desde las 01:55.", "error", 0, at),
		"alert_success":   report.Alert("Carga semanal", "Se cargaron 120 registros.", "success", 9, at),
		"alert_info":      report.Alert("Aviso", "Mañana hay mantenimiento.", "info", 0, at),
	}
}

func TestReportsReadAsTheGoldenFiles(t *testing.T) {
	for name, m := range messages() {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for i, p := range telegram.Render(m) {
				fmt.Fprintf(&got, "--- parte %d\n%s\n--- html\n%s\n", i+1, p.Plain, p.HTML)
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs; -update writes it anew.\ngot:\n%s\nwant:\n%s", path, got.String(), want)
			}
		})
	}
}

// TestTelegramReadsEveryReportAsItWasMeant sends the markup through the fake's parser.
func TestTelegramReadsEveryReportAsItWasMeant(t *testing.T) {
	all := messages()
	all["birthdays_200"] = report.Birthdays(info(), many(200))
	for name, m := range all {
		for _, p := range telegram.Render(m) {
			text, _, err := telegramtest.ParseHTML(p.HTML)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if text != p.Plain {
				t.Errorf("%s: the chat shows\n%s\nnot\n%s", name, text, p.Plain)
			}
		}
	}
}

// TestNothingGetsLostInALongReport: 200 birthdays, each name once.
func TestNothingGetsLostInALongReport(t *testing.T) {
	parts := telegram.Render(report.Birthdays(info(), many(200)))
	if len(parts) < 2 {
		t.Fatal("200 birthdays fit one message: the test shows nothing")
	}
	var all strings.Builder
	for _, p := range parts {
		all.WriteString(p.Plain)
	}
	for _, b := range many(200) {
		if n := strings.Count(all.String(), b.Name+" ("); n != 1 {
			t.Errorf("%s is there %d times", b.Name, n)
		}
	}
}

func many(n int) []store.Birthday {
	rows := make([]store.Birthday, n)
	for i := range rows {
		rows[i] = birthday(i*60/n, 14, string(rune('A'+i%6)), "Elder", fmt.Sprintf("Persona Número %03d", i), 19+i%4)
	}
	return rows
}

// BenchmarkBirthdays makes a report of 200 birthdays; the baseline writes the
// same lines with fmt, without grouping, escaping or cutting.
func BenchmarkBirthdays(b *testing.B) {
	rows := many(200)
	b.Run("baseline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out strings.Builder
			for _, r := range rows {
				fmt.Fprintf(&out, "• %s %s (%d%s) cumple %d años\n", r.Treatment, r.Name, r.Branch, r.District, r.Turning)
			}
			_ = out.String()
		}
	})
	b.Run("report", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(telegram.Render(report.Birthdays(info(), rows))) < 2 {
				b.Fatal("too few parts")
			}
		}
	})
}
