package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

const someID = "06H11N8HRS6QTV9VS8VV7B7GEK"

func TestAListFitsTheTerminal(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	a := &app{out: &out}
	row := deliveryRow{ID: someID, State: ccm.Discarded, Report: ccm.UpcomingBirthdays, Chat: "-1001234567890", BeganAt: time.Date(2026, 11, 25, 4, 0, 53, 0, time.UTC), PartsSent: 1, PartsTotal: 3}
	is.NoErr(a.printDeliveries([]deliveryRow{row, row}, time.FixedZone("CST", -6*3600), true))
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	is.True(strings.Contains(out.String(), someID+"  2026-11-24 22:00  descartado  cumpleaños  1/3"))
	is.True(strings.Contains(out.String(), "2 envíos al chat -1001234567890; hay más"))

	out.Reset()
	alert := row
	alert.Chat = "@avisos"
	is.NoErr(a.printDeliveries([]deliveryRow{row, alert}, time.UTC, false))
	is.True(strings.Contains(out.String(), "1/3     @avisos\n")) // where there are several, each row says which
}

func TestAListIsAskedForByTheWordsThatItShows(t *testing.T) {
	for state, word := range stateWords {
		t.Run(word, func(t *testing.T) {
			is := is.New(t)
			for _, given := range []string{word, strings.ToUpper(word), string(state)} {
				f := listFilter{state: given}
				is.NoErr(f.read(time.UTC))
				is.Equal(f.State, state)
			}
		})
	}
	for report, word := range reportWords {
		t.Run(word, func(t *testing.T) {
			is := is.New(t)
			for _, given := range []string{word, report} {
				f := listFilter{report: given}
				is.NoErr(f.read(time.UTC))
				is.Equal(f.Report, report)
			}
		})
	}
}

// TestADeliveryDoesNotPlayWithTheTerminal: whoever may post an alert writes texts
// that an operator looks at.
func TestADeliveryDoesNotPlayWithTheTerminal(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	const evil = "\x1b[2J\x07\r\u009b31mrojo"
	r := ccm.Record{Key: evil, To: telegram.Target{Chat: evil}, Decisions: []ccm.Decision{{Action: ccm.Resend, Who: evil}}, Receipt: ccm.Receipt{ID: someID, Parts: []ccm.PartResult{
		{State: ccm.Delivered, Doubtful: true, Sent: telegram.Sent{ID: 7, Chat: evil}, Part: telegram.Part{Plain: "uno\n" + evil + "\n\ndos"}},
		{State: ccm.Refused, Err: &ccm.Error{Message: evil}},
	}}}
	(&app{out: &out}).printDelivery(r, time.UTC)
	is.True(!strings.ContainsAny(out.String(), "\x1b\x07\r\u009b"))
	is.Equal(strings.Count(out.String(), "rojo"), 6)
	is.True(strings.Contains(out.String(), "uno\n\ufffd[2J"))
	is.True(strings.Contains(out.String(), "\n\ndos\n")) // lines stay lines
	is.True(strings.Contains(out.String(), "salió como posible duplicado"))
}
