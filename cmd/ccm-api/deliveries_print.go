package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ccmwf/ccm/ccm"
)

// printDeliveries prints a list for a terminal of 80 columns: the chat is in it
// only where there are several, at the end.
func (a *app) printDeliveries(rows []deliveryRow, zone *time.Location, more bool) error {
	if len(rows) == 0 {
		fmt.Fprintln(a.out, "No hay envíos así en el diario.")
		return nil
	}
	columns := []string{"delivery_id", "began_at", "state", "report", "parts"}
	several := slices.ContainsFunc(rows, func(r deliveryRow) bool { return r.Chat != rows[0].Chat })
	if several {
		columns = append(columns, "chat")
	}
	var cells [][]string
	for _, r := range rows {
		line := []string{r.ID, r.BeganAt.In(zone).Format("2006-01-02 15:04"), stateWords[r.State], reportWords[r.Report], fmt.Sprintf("%d/%d", r.PartsSent, r.PartsTotal)}
		if several {
			line = append(line, printed(r.Chat))
		}
		cells = append(cells, line)
	}
	if err := writeTable(a.out, columns, cells); err != nil {
		return err
	}
	fmt.Fprint(a.out, plural(len(rows), "envío", "envíos"))
	if !several {
		fmt.Fprint(a.out, " al chat ", printed(rows[0].Chat))
	}
	if more {
		fmt.Fprint(a.out, "; hay más: --limite o --todos")
	}
	fmt.Fprintln(a.out)
	return nil
}

func (a *app) printDelivery(r ccm.Record, zone *time.Location) {
	fmt.Fprintf(a.out, "Envío %s: %s\n%s al chat %s\nempezó %s", r.ID, stateWords[r.State], reportTitles[r.Report], printed(r.To.Chat), clockTime(r.BeganAt, zone))
	if !r.EndedAt.IsZero() {
		fmt.Fprintf(a.out, ", terminó %s", clockTime(r.EndedAt, zone))
	}
	if r.Key != "" {
		fmt.Fprintf(a.out, "\nclave: %s", printed(r.Key))
	}
	fmt.Fprintln(a.out)
	for _, d := range r.Decisions {
		fmt.Fprintf(a.out, "%s por %s, %s\n", map[ccm.Action]string{ccm.Resend: "reenviado", ccm.Discard: "descartado"}[d.Action], printed(d.Who), clockTime(d.At, zone))
	}
	for i, p := range r.Parts {
		title := fmt.Sprintf("── mensaje %d de %d: %s ", i+1, len(r.Parts), partWords[p.State])
		fmt.Fprintf(a.out, "\n%s%s\n", title, strings.Repeat("─", max(0, 60-len([]rune(title)))))
		a.printPart(p, r.Purged, zone)
	}
}

// printPart tells of one message what happened to it, and what it says.
func (a *app) printPart(p ccm.PartResult, purged bool, zone *time.Location) {
	if p.Sent.ID != 0 {
		fmt.Fprintf(a.out, "nº %d en el chat %s, %s\n", p.Sent.ID, printed(p.Sent.Chat), clockTime(p.Sent.At, zone))
	}
	if p.Doubtful {
		fmt.Fprintln(a.out, map[bool]string{true: "salió como posible duplicado", false: "pudo haber llegado antes: si se reenvía, lo dice"}[p.State == ccm.Delivered])
	}
	if known, ok := errors.AsType[*ccm.Error](p.Err); ok {
		fmt.Fprintln(a.out, printed(known.Message))
	}
	if purged {
		fmt.Fprintln(a.out, "(el texto ya se borró por antiguo)")
		return
	}
	for line := range strings.Lines(p.Part.Plain) {
		fmt.Fprintln(a.out, printed(strings.TrimSuffix(line, "\n")))
	}
}

// printed is a text that others wrote, in which nothing moves the cursor of the
// terminal or changes its colours.
func printed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func clockTime(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04:05")
}

// stateWords are the states of a whole delivery.
var stateWords = map[ccm.State]string{
	ccm.Pending: "pendiente", ccm.Sending: "en curso", ccm.Delivered: "entregado", ccm.Refused: "rechazado", ccm.Uncertain: "incierto", ccm.Discarded: "descartado",
}

// stateOfWord is the state that a list calls so; "": none.
func stateOfWord(word string) ccm.State {
	for state, is := range stateWords {
		if is == word {
			return state
		}
	}
	return ""
}

// reportWords are the reports in a list, as «ccm-api enviar» calls them, and
// reportTitles where there is room.
var (
	reportWords  = map[string]string{ccm.UpcomingArrivals: "ingresos", ccm.UpcomingBirthdays: "cumpleaños", ccm.AlertID: "alerta"}
	reportTitles = map[string]string{ccm.UpcomingArrivals: "próximos ingresos", ccm.UpcomingBirthdays: "próximos cumpleaños", ccm.AlertID: "alerta"}
)

// reportOfWord are the names that a report may be asked for by.
var reportOfWord = map[string]string{
	"ingresos": ccm.UpcomingArrivals, "arrivals": ccm.UpcomingArrivals, ccm.UpcomingArrivals: ccm.UpcomingArrivals,
	"cumpleaños": ccm.UpcomingBirthdays, "cumpleanos": ccm.UpcomingBirthdays, "birthdays": ccm.UpcomingBirthdays, ccm.UpcomingBirthdays: ccm.UpcomingBirthdays,
	"alerta": ccm.AlertID, "alert": ccm.AlertID,
}
