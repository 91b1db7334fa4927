package telegram

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// style is how a run of text is shown.
type style struct {
	url                string
	bold, italic, code bool
}

// styled is what s shows, and how. An address that cannot be a link follows the
// text: whoever reads it shall not miss it.
func (s Span) styled() (text string, st style) {
	text, st = clean(s.Text), style{bold: s.Bold, italic: s.Italic}
	link := validURL(s.URL)
	switch {
	case link:
		st.url = s.URL
	case s.Code:
		st = style{code: true}
	}
	if !link && !blank(text) {
		text = withAddress(text, clean(s.URL))
	}
	return text, st
}

// withAddress leaves the scheme of a mail address out, so that Telegram, which
// looks for mail addresses in texts, finds it.
func withAddress(text, address string) string {
	if mail, ok := strings.CutPrefix(address, "mailto:"); ok {
		address, _, _ = strings.Cut(mail, "?")
	}
	if blank(address) || strings.Contains(text, address) {
		return text
	}
	return text + " (" + address + ")"
}

// tags are the style's, without its link.
func (s style) tags() (open, end string, entities int) {
	switch {
	case s.code:
		return "<code>", "</code>", 1
	case s.bold && s.italic:
		return "<b><i>", "</i></b>", 2
	case s.bold:
		return "<b>", "</b>", 1
	case s.italic:
		return "<i>", "</i>", 1
	}
	return "", "", 0
}

// cost is what the style takes beside its text.
func (s style) cost() cost {
	open, end, n := s.tags()
	c := cost{entities: n, bytes: len(open) + len(end)}
	if s.url != "" {
		c = c.plus(cost{entities: 1, bytes: len(`<a href=""></a>`) + textCost(s.url).bytes})
	}
	return c
}

// write adds text in the style to the HTML of a part.
func (s style) write(html *strings.Builder, text string) {
	open, end, _ := s.tags()
	if s.url != "" {
		html.WriteString(`<a href="`)
		escape(html, s.url)
		html.WriteString(`">`)
	}
	html.WriteString(open)
	escape(html, text)
	html.WriteString(end)
	if s.url != "" {
		html.WriteString("</a>")
	}
}

// escaper knows the four named entities that Telegram decodes.
// https://core.telegram.org/bots/api#html-style
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(html *strings.Builder, text string) {
	_, _ = escaper.WriteString(html, text) // a Builder does not fail
}

// escapedLen is the length of an ASCII character once escaped.
func escapedLen(b byte) int {
	switch b {
	case '&':
		return len("&amp;")
	case '<', '>':
		return len("&lt;")
	case '"':
		return len("&quot;")
	}
	return 1
}

func utf16Len(r rune) int {
	if n := utf16.RuneLen(r); n > 0 {
		return n
	}
	return 1
}

// clean does to a text what the Bot API server would do to it later, so that
// lengths are known now: control characters become spaces, and what it deletes is
// taken out. A letter keeps its ring where it is a character with it, as in names
// of files from a Mac.
func clean(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unwanted) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case deleted(r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, ringed.Replace(strings.ToValidUTF8(text, string(utf8.RuneError))))
}

// ringed are all characters that Unicode composes with a ring above.
var ringed = strings.NewReplacer("A\u030a", "Å", "a\u030a", "å", "U\u030a", "Ů", "u\u030a", "ů", "w\u030a", "ẘ", "y\u030a", "ẙ")

// unwanted is what clean replaces or takes out.
func unwanted(r rune) bool { return unicode.IsControl(r) || deleted(r) }

// deleted is what the server takes out of a text: carriage returns, the marks that
// break lines or turn the direction of writing, and those that become vertical lines.
// https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp, clean_input_string
func deleted(r rune) bool {
	switch r {
	case '\r', '\u030a', '\u0333', '\u033f':
		return true
	}
	return '\u2028' <= r && r <= '\u202e'
}

// blank says that nothing of text can be seen: Telegram refuses such a message.
func blank(text string) bool { return !strings.ContainsFunc(text, visible) }

func visible(r rune) bool {
	switch r {
	case '\u2800', '\ufffc': // an empty braille pattern, the place of an object
		return false
	}
	return r >= ' ' && !deleted(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r)
}
