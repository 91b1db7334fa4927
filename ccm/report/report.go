package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// Info is what a report says beside its records.
type Info struct {
	Branch   int           // 0: every branch
	Today    store.Date    // at the centre
	Days     int           // length of the window
	LoadedAt time.Time     // when the database was asked, in the centre's zone; zero: not said
	Stale    bool          // the database could not be asked now: the footer says how old the data are
	Skipped  int           // rows that were left out for a hole; the footer says how many
	Age      time.Duration // of the data; said when Stale
}

// heading is the first line of a report.
func (in Info) heading(emoji, title string) []telegram.Span {
	if in.Branch != 0 {
		title += fmt.Sprintf(" · Rama %d", in.Branch)
	}
	return []telegram.Span{{Text: emoji + " "}, {Text: title, Bold: true}}
}

// window names the days the report looks at.
func (in Info) window() string {
	return "Del " + longDate(in.Today, in.Today) + " al " + longDate(in.Today.AddDays(in.Days), in.Today)
}

// nobody is the text of a report without records; verb is what nobody does.
func (in Info) nobody(verb string) telegram.Group {
	when := fmt.Sprintf("en los próximos %d días (hasta el %s)", in.Days, longDate(in.Today.AddDays(in.Days), in.Today))
	if in.Days <= 1 {
		when = "hoy ni mañana"
	}
	return telegram.Group{Lines: [][]telegram.Span{{{Text: fmt.Sprintf("Nadie %s %s. 🙂", verb, when)}}}}
}

// footer says from when the data are and what is missing of them.
func (in Info) footer() []telegram.Span {
	var said []string
	if !in.LoadedAt.IsZero() {
		said = append(said, in.asOf())
	}
	switch {
	case in.Skipped == 1:
		said = append(said, "1 registro incompleto no se muestra")
	case in.Skipped > 1:
		said = append(said, fmt.Sprintf("%d registros incompletos no se muestran", in.Skipped))
	}
	if len(said) == 0 {
		return nil
	}
	return []telegram.Span{{Text: strings.Join(said, " · "), Italic: true}}
}

func (in Info) asOf() string {
	day := "hoy"
	if d := store.DateOf(in.LoadedAt); d != in.Today {
		day = "el " + longDate(d, in.Today)
	}
	at := fmt.Sprintf("%s a las %s", day, in.LoadedAt.Format("15:04"))
	if !in.Stale {
		return "Datos leídos " + at
	}
	return fmt.Sprintf("⚠️ Datos de hace %s, leídos %s: no se pudieron actualizar", ageWords(in.Age), at)
}
