package telegram_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

// The server takes three marks out of each text.
func TestWhatTheServerDeletesIsLeftOut(t *testing.T) {
	const marks = "\u030a\u0333\u033f"
	for name, tt := range map[string]struct{ text, shown string }{
		"a mark on a letter":                     {"x\u0333y\u033fe\u030a", "xye"},
		"a ring that is part of a letter stays":  {"A\u030angstro\u0308m, Ka\u030are, Ru\u030azˇena \u00c5", "Ångstro\u0308m, Kåre, Růzˇena Å"},
		"more than one ring":                     {"a\u030a\u030a\u0301", "å\u0301"},
		"many marks, behind text and before it":  {"ok x" + strings.Repeat("\u030a", 9000) + " fin", "ok x fin"},
		"nothing else":                           {strings.Repeat(marks, 5000), ""},
		"nothing else but blanks and characters": {marks + " \x00\r\u2028" + marks, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			fake, b := newFake(t)
			for _, s := range []telegram.Span{{Text: tt.text}, {Text: tt.text, Bold: true}} {
				parts := render(t, telegram.Message{Heading: []telegram.Span{s}})
				if tt.shown == "" {
					is.Equal(parts, nil)
					continue
				}
				is.Equal(len(parts), 1)
				is.Equal(parts[0].Plain, tt.shown)
				_, err := b.Deliver(t.Context(), target, parts, nil)
				is.NoErr(err)
				is.Equal(fake.Last(groupID).Text, tt.shown)
			}
		})
	}
}

func TestAPartOfWhatTheServerDeletesIsInvalid(t *testing.T) {
	for _, text := range []string{"\u030a", "\u0333\u033f", "\x00\x1f", " \r\u202e"} {
		for _, p := range []telegram.Part{{Plain: text}, {HTML: "<b>" + text + "</b>"}} {
			b, w := newWire(t, accepts)
			_, err := b.Send(t.Context(), target, p)
			is.New(t).True(errors.Is(err, telegram.ErrInvalid))
			is.New(t).Equal(len(w.got), 0)
		}
	}
}
