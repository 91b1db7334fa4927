package telegramtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Entity is a stretch of formatted text. Offset and Length count UTF-16 units,
// as the Bot API does: https://core.telegram.org/bots/api#messageentity
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
}

// tags are what HTML parse mode knows, and the entity each makes.
var tags = map[string]string{
	"a": "text_link", "b": "bold", "strong": "bold", "i": "italic", "em": "italic",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
	"u": "underline", "ins": "underline", "tg-spoiler": "spoiler", "span": "spoiler",
	"tg-emoji": "custom_emoji", "tg-time": "date_time", "pre": "pre", "code": "code", "blockquote": "blockquote",
}

// parser reads HTML as the Bot API server does (tdlib/td, parse_html): its own
// small grammar, not the browsers'.
type parser struct {
	in     string
	pos    int
	out    strings.Builder
	units  int // UTF-16 units written to out
	open   []openTag
	result []Entity
}

type openTag struct {
	name, argument string
	expandable     bool
	offset         int
}

// ParseHTML returns the text without markup and its entities, sorted by offset,
// or the error text that the Bot API gives after "can't parse entities: ".
func ParseHTML(html string) (text string, entities []Entity, err error) {
	p := parser{in: html}
	for p.pos < len(p.in) {
		if err := p.step(); err != nil {
			return "", nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return "", nil, fmt.Errorf("Can't find end tag corresponding to start tag %q", p.open[n-1].name)
	}
	slices.SortStableFunc(p.result, func(a, b Entity) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
	return p.out.String(), p.result, nil
}

// step reads one character, character reference or tag.
func (p *parser) step() error {
	switch c := p.in[p.pos]; {
	case c == '&':
		if r, size := decodeReference(p.in[p.pos:]); size > 0 {
			p.write(r)
			p.pos += size
			return nil
		}
	case c == '<' && strings.HasPrefix(p.in[p.pos:], "</"):
		return p.endTag()
	case c == '<':
		return p.startTag()
	}
	r, size := utf8.DecodeRuneInString(p.in[p.pos:])
	p.write(r)
	p.pos += size
	return nil
}

func (p *parser) write(r rune) {
	p.out.WriteRune(r)
	p.units += utf16Len(r)
}

func utf16Len(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) skipSpaces() {
	for p.pos < len(p.in) && isSpace(p.in[p.pos]) {
		p.pos++
	}
}

// until moves to the first byte that stop holds for, and returns what it passed.
func (p *parser) until(stop func(byte) bool) string {
	begin := p.pos
	for p.pos < len(p.in) && !stop(p.in[p.pos]) {
		p.pos++
	}
	return p.in[begin:p.pos]
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func endsName(c byte) bool { return isSpace(c) || c == '>' }

func endsAttribute(c byte) bool { return isSpace(c) || c == '=' || c == '>' }

func (p *parser) startTag() error {
	begin := p.pos
	p.pos++
	name := strings.ToLower(p.until(endsName))
	if p.pos >= len(p.in) {
		return fmt.Errorf("Unclosed start tag at byte offset %d", begin)
	}
	if _, known := tags[name]; !known {
		return fmt.Errorf("Unsupported start tag \"%s\" at byte offset %d", name, begin)
	}
	tag := openTag{name: name, offset: p.units}
	for {
		p.skipSpaces()
		if p.peek() == '>' {
			break
		}
		if err := p.attribute(&tag, begin); err != nil {
			return err
		}
	}
	p.pos++
	if name == "span" && tag.argument != "tg-spoiler" {
		return fmt.Errorf("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	p.open = append(p.open, tag)
	return nil
}

// attribute reads one attribute into tag; begin is where the tag began.
func (p *parser) attribute(tag *openTag, begin int) error {
	unclosed := fmt.Errorf("Unclosed start tag at byte offset %d", begin)
	if p.pos >= len(p.in) {
		return unclosed
	}
	name := strings.ToLower(p.until(endsAttribute))
	if name == "" {
		return fmt.Errorf("Empty attribute name in the tag \"%s\" at byte offset %d", tag.name, begin)
	}
	p.skipSpaces()
	value := ""
	if p.peek() == '=' {
		p.pos++
		p.skipSpaces()
		if p.pos >= len(p.in) {
			return unclosed
		}
		var closed bool
		if value, closed = p.value(); !closed {
			return unclosed
		}
	}
	tag.set(name, value)
	return nil
}

// value reads what stands behind the equal sign, quoted or bare.
func (p *parser) value() (value string, closed bool) {
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		return strings.ToLower(p.until(endsName)), p.pos < len(p.in)
	}
	p.pos++
	var out strings.Builder
	for p.pos < len(p.in) && p.in[p.pos] != quote {
		if r, size := decodeReference(p.in[p.pos:]); size > 0 {
			out.WriteRune(r)
			p.pos += size
			continue
		}
		out.WriteByte(p.in[p.pos])
		p.pos++
	}
	if p.pos >= len(p.in) {
		return "", false
	}
	p.pos++
	return out.String(), true
}

func (t *openTag) set(attribute, value string) {
	switch {
	case t.name == "a" && attribute == "href",
		t.name == "span" && attribute == "class" && value == "tg-spoiler",
		t.name == "tg-emoji" && attribute == "emoji-id":
		t.argument = value
	case t.name == "code" && attribute == "class":
		t.argument, _ = strings.CutPrefix(value, "language-")
	case t.name == "blockquote" && attribute == "expandable":
		t.expandable = true
	}
}

func (p *parser) endTag() error {
	begin := p.pos
	if len(p.open) == 0 {
		return fmt.Errorf("Unexpected end tag at byte offset %d", begin)
	}
	p.pos += 2
	name := strings.ToLower(p.until(endsName))
	p.skipSpaces()
	if p.peek() != '>' {
		return fmt.Errorf("Unclosed end tag at byte offset %d", begin)
	}
	p.pos++
	tag := p.open[len(p.open)-1]
	if name != "" && name != tag.name {
		return fmt.Errorf("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, tag.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	p.close(tag)
	return nil
}

// close makes the entity of a tag that ended.
func (p *parser) close(tag openTag) {
	e := Entity{Type: tags[tag.name], Offset: tag.offset, Length: p.units - tag.offset}
	if e.Length == 0 {
		return
	}
	switch tag.name {
	case "a":
		e.URL = tag.argument
		if e.URL == "" {
			e.URL = p.out.String()[byteOffset(p.out.String(), tag.offset):]
		}
		if !isLink(e.URL) {
			return
		}
	case "code":
		// <pre><code class="language-go"> is one entity, the pre.
		if n := len(p.open); n > 0 && p.open[n-1].name == "pre" && p.open[n-1].offset == tag.offset {
			p.open[n-1].argument = tag.argument
			return
		}
	case "pre":
		e.Language = tag.argument
	case "blockquote":
		if tag.expandable {
			e.Type = "expandable_blockquote"
		}
	}
	p.result = append(p.result, e)
}

// isLink reports whether the server makes a link of url; else the text stays plain.
func isLink(url string) bool {
	scheme, rest, found := strings.Cut(strings.ToLower(url), ":")
	if !found {
		return strings.Contains(url, ".")
	}
	return rest != "" && slices.Contains([]string{"http", "https", "tg", "mailto", "tel", "ton"}, scheme)
}

// byteOffset is where in s its UTF-16 unit n begins.
func byteOffset(s string, n int) int {
	for i, r := range s {
		if n <= 0 {
			return i
		}
		n -= utf16Len(r)
	}
	return len(s)
}

// decodeReference reads a character reference at the start of s. Only these
// four names and numbers are known: https://core.telegram.org/bots/api#html-style
func decodeReference(s string) (r rune, size int) {
	if len(s) < 2 || s[0] != '&' {
		return 0, 0
	}
	if s[1] == '#' {
		return decodeNumber(s)
	}
	for name, r := range map[string]rune{"&lt": '<', "&gt": '>', "&amp": '&', "&quot": '"'} {
		if rest, ok := strings.CutPrefix(s, name); ok && !startsWithLetter(rest) {
			if strings.HasPrefix(rest, ";") {
				return r, len(name) + 1
			}
			return r, len(name)
		}
	}
	return 0, 0
}

func startsWithLetter(s string) bool {
	return s != "" && ('a' <= s[0] && s[0] <= 'z' || 'A' <= s[0] && s[0] <= 'Z')
}

func decodeNumber(s string) (rune, int) {
	base, begin := 10, 2
	if len(s) > 2 && (s[2] == 'x' || s[2] == 'X') {
		base, begin = 16, 3
	}
	end := begin
	for end < len(s) && end-begin < 8 && isDigit(s[end], base) {
		end++
	}
	n, err := strconv.ParseInt(s[begin:end], base, 32)
	if err != nil || n == 0 || n >= 0x10FFFF || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	return rune(n), end
}

func isDigit(c byte, base int) bool {
	return '0' <= c && c <= '9' || base == 16 && ('a' <= c|0x20 && c|0x20 <= 'f')
}
