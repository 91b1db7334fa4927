package telegram_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

func TestANoteIsSeenFirst(t *testing.T) {
	is := is.New(t)
	p := telegram.Render(telegram.Message{Heading: bold("Título"), Groups: []telegram.Group{{Lines: [][]telegram.Span{plain("texto & más")}}}})[0]
	noted := p.WithNote("(posible <duplicado>\n & más)")
	is.Equal(noted.HTML, "<i>(posible &lt;duplicado&gt;  &amp; más)</i>\n<b>Título</b>\n\ntexto &amp; más")
	is.Equal(noted.Plain, "(posible <duplicado>  & más)\nTítulo\n\ntexto & más")
	checkParts(t, []telegram.Part{noted})
	is.Equal(p.WithNote(" \u200b"), p)
	byHand := telegram.Part{Plain: "a < b"}.WithNote("nota")
	is.Equal(byHand, telegram.Part{Plain: "nota\na < b", UTF16: 10})
	byHand = telegram.Part{HTML: "<b>a</b>", UTF16: 1, Entities: 1}.WithNote("nota")
	is.Equal(byHand, telegram.Part{HTML: "<i>nota</i>\n<b>a</b>", UTF16: 6, Entities: 2})
}

func TestSpareLeavesRoomForANote(t *testing.T) {
	for name, note := range map[string]string{
		"of letters":                 strings.Repeat("n", 99),
		"of what is escaped":         strings.Repeat(`"`, 99),
		"of three bytes a unit":      strings.Repeat("ᛞ", 99),
		"of emoji, two units each":   strings.Repeat("🎂", 49),
		"in a message full of links": "(posible duplicado)",
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := telegram.Message{Heading: bold("H"), Spare: 100}
			for range 300 {
				l := []telegram.Span{{Text: strings.Repeat(`"`, 20), Bold: true, Italic: true}}
				if strings.Contains(name, "links") {
					l[0].URL = "https://ccm.org/?" + strings.Repeat("&", 400)
				}
				m.Groups = append(m.Groups, telegram.Group{Lines: [][]telegram.Span{l}})
			}
			parts := telegram.Render(m)
			is.True(len(parts) > 2)
			for _, p := range parts {
				noted := p.WithNote(note)
				is.Equal(noted.Plain, note+"\n"+p.Plain) // the whole note
				checkParts(t, []telegram.Part{noted})
			}
		})
	}
}

func TestWithoutRoomANoteIsCut(t *testing.T) {
	is := is.New(t)
	full := telegram.Render(telegram.Message{Footer: plain(strings.Repeat("x", telegram.MaxText))})[0]
	is.Equal(full.WithNote("nota"), full)
	nearly := telegram.Render(telegram.Message{Footer: plain(strings.Repeat("x", telegram.MaxText-4))})[0]
	is.True(strings.HasPrefix(nearly.WithNote("nota").Plain, "not\nx"))
	// A Spare out of range leaves the message its place.
	is.Equal(len(telegram.Render(telegram.Message{Footer: plain(strings.Repeat("x", 3000)), Spare: 1 << 40})), 1)
	is.Equal(len(telegram.Render(telegram.Message{Footer: plain(strings.Repeat("x", telegram.MaxText)), Spare: -1})), 1)
}

// FuzzNote puts any note on the parts of any message.
func FuzzNote(f *testing.F) {
	f.Add("Ingresos", "A & <b>\nB", uint16(3), "(posible duplicado)", int16(20))
	f.Add("🎂", strings.Repeat("👨‍👩‍👧‍👦", 40), uint16(200), "\u0301\u202e \r\n \xff", int16(-3))
	f.Add("", strings.Repeat("x", 300), uint16(300), strings.Repeat(`"`, 5000), int16(2000))
	f.Fuzz(func(t *testing.T, heading, text string, n uint16, note string, spare int16) {
		m := fuzzMessage(heading, "", text, "", min(int(n), 300, 20_000/(1+len(text))), byte(n))
		m.Spare = int(spare)
		parts := telegram.Render(m)
		checkParts(t, parts)
		for i, p := range parts {
			noted := p.WithNote(note)
			if !strings.HasSuffix(noted.HTML, p.HTML) || !strings.HasSuffix(noted.Plain, p.Plain) {
				t.Fatalf("part %d of %d lost something", i+1, len(parts))
			}
			parts[i] = noted
		}
		checkParts(t, parts)
	})
}
