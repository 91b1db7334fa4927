package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/ccmwf/ccm/telegram"
)

// FuzzRender makes a message of any text and checks that nothing is lost, added
// or out of order.
func FuzzRender(f *testing.F) {
	f.Add("Ingresos", "Lunes 1", "A & <b>\nB", "pie", uint16(3), byte(0))
	f.Add("🎂", "", strings.Repeat("👨‍👩‍👧‍👦", 40), "", uint16(200), byte(1))
	f.Add("", "título", strings.Repeat("x", 300), "\u200b", uint16(300), byte(2))
	f.Add("h", "e", "\u0301\u202e \r\n \xff", "f", uint16(2000), byte(3))
	f.Fuzz(func(t *testing.T, heading, title, text, footer string, n uint16, mode byte) {
		times := min(int(n), 500, 20_000/(1+len(text)+len(title))) // several parts, and many messages a second
		m := fuzzMessage(heading, title, text, footer, times, mode)
		parts := telegram.Render(m)
		checkParts(t, parts)
		checkOrder(t, m, parts)
	})
}

// fuzzMessage spreads text n times over lines, spans and groups. Only titles
// begin with a triangle, so that a repeated one is told from text.
func fuzzMessage(heading, title, text, footer string, n int, mode byte) telegram.Message {
	text, footer = strings.ReplaceAll(text, "▶", ""), strings.ReplaceAll(footer, "▶", "")
	if title != "" {
		title = "▶" + title
	}
	m := telegram.Message{Heading: plain(heading), Footer: plain(footer)}
	g := telegram.Group{Title: bold(title)}
	var l []telegram.Span
	for i := range n {
		s := telegram.Span{Text: text, Bold: i%2 == 0, Italic: i%3 == 0, Code: i%7 == 0}
		if i%11 == 0 {
			s.URL = "https://ccm.org/?" + strings.Repeat("&", i%500)
		}
		l = append(l, s)
		if mode&1 == 0 || i%97 == 0 { // short lines, or long ones
			g.Lines, l = append(g.Lines, l), nil
		}
		if mode&2 == 0 && i%13 == 0 { // many groups, or one
			m.Groups, g = append(m.Groups, g), telegram.Group{Title: plain(title)}
		}
	}
	g.Lines = append(g.Lines, l)
	m.Groups = append(m.Groups, g)
	return m
}

// checkOrder walks through the message and its parts side by side: below its
// heading each part goes on where the one before it ended, word by word, or says
// the title of the group it is in and then goes on. Blanks count as one, wherever
// they are but at a cut, where there are none.
func checkOrder(t *testing.T, m telegram.Message, parts []telegram.Part) {
	t.Helper()
	head, title := words(textOf(m.Heading)), ""
	if len(m.Groups) > 0 {
		title = words(textOf(m.Groups[0].Title))
	}
	whole := []string{head}
	for _, g := range m.Groups {
		whole = append(whole, words(textOf(g.Title)))
		for _, l := range g.Lines {
			whole = append(whole, words(textOf(l)))
		}
	}
	rest := words(strings.Join(append(whole, words(textOf(m.Footer))), " "))
	for i, p := range parts {
		body := words(p.Plain)
		if marked := fmt.Sprintf("%s (%d/%d)", head, i+1, len(parts)); head != "" && len(parts) > 1 && strings.HasPrefix(body, marked) {
			body = strings.TrimSpace(strings.TrimPrefix(body, marked))
			if i == 0 {
				body = strings.TrimSpace(head + " " + body)
			}
		}
		if !strings.HasPrefix(rest, body) {
			body = strings.TrimSpace(strings.TrimPrefix(body, title))
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, body); !ok {
			t.Fatalf("part %d of %d does not go on where the one before it ended:\n%.200q\nwanted\n%.200q", i+1, len(parts), body, rest)
		}
		rest = strings.TrimSpace(rest)
	}
	if rest != "" {
		t.Fatalf("the parts end before the message does: %.200q is missing", rest)
	}
}

func textOf(spans []telegram.Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(strings.ToValidUTF8(s.Text, "\ufffd"))
	}
	return b.String()
}

// words is what can be seen of a text, with one blank for any.
func words(text string) string {
	seen := strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2800', r == '\ufffc', unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(seen), " ")
}
