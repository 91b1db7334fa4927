package telegramtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// tags are what HTML parse mode knows, and the entity each makes.
var tags = map[string]string{
	"a": "text_link", "b": "bold", "strong": "bold", "i": "italic", "em": "italic",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
	"u": "underline", "ins": "underline", "tg-spoiler": "spoiler", "span": "spoiler",
	"tg-emoji": "custom_emoji", "tg-time": "date_time", "pre": "pre", "code": "code", "blockquote": "blockquote",
}

var errNotUTF8 = errors.New("Text must be encoded in UTF-8")

// parser reads HTML as the Bot API server does (tdlib/td, parse_html): its own
// small grammar, not the browsers'.
type parser struct {
	source
	out    writer
	halves int // surrogates written by number
	open   []openTag
	result []Entity
}

type openTag struct {
	name     string
	argument string // href, the language, the emoji, the format of a time; "1" for an expandable quote
	unix     int64
	offset   int // UTF-16 units
	begin    int // byte of out
}

// ParseHTML reads HTML parse mode, for tests of what writes it. It returns the
// text without markup and its entities, sorted by offset, or an error with the
// text that the Bot API gives after "can't parse entities: ". A message may get
// fewer entities, and cut ones: see the package doc.
func ParseHTML(html string) (text string, entities []Entity, err error) {
	if !utf8.ValidString(html) {
		return "", nil, errNotUTF8
	}
	p := parser{source: source{in: html}}
	for p.pos < len(p.in) {
		if err := p.step(); err != nil {
			return "", nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return "", nil, fmt.Errorf("Can't find end tag corresponding to start tag %q", p.open[n-1].name)
	}
	if p.halves > 0 {
		return "", nil, errors.New("Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units")
	}
	for i := range p.result {
		if p.result[i].Type == "code" {
			p.result[i].Language = "" // it was kept for a pre around it
		}
	}
	sortEntities(p.result)
	return p.out.String(), p.result, nil
}

// step reads one character, character reference or tag.
func (p *parser) step() error {
	switch {
	case p.peek() == '&':
		if r, size := decodeReference(p.in[p.pos:]); size > 0 {
			if r >= 0xD800 && r <= 0xDFFF {
				p.halves++
			}
			p.out.put(r)
			p.pos += size
			return nil
		}
	case p.has("</"):
		return p.endTag()
	case p.peek() == '<':
		return p.startTag()
	}
	p.out.put(p.rune())
	return nil
}

func (p *parser) startTag() error {
	begin := p.pos
	p.pos++
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' }))
	if p.peek() == 0 {
		return fmt.Errorf("Unclosed start tag at byte offset %d", begin)
	}
	if _, known := tags[name]; !known {
		return fmt.Errorf("Unsupported start tag \"%s\" at byte offset %d", name, begin)
	}
	tag := openTag{name: name, offset: p.out.units, begin: p.out.Len()}
	for p.peek() != '>' {
		if p.skipSpaces(); p.peek() == '>' {
			break
		}
		if err := p.attribute(&tag, begin); err != nil {
			return err
		}
	}
	p.pos++
	if name == "span" && tag.argument != "spoiler" {
		return fmt.Errorf("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	p.open = append(p.open, tag)
	return nil
}

// attribute reads one attribute into tag; begin is where the tag began.
func (p *parser) attribute(tag *openTag, begin int) error {
	name := p.until(func(c byte) bool { return isSpace(c) || strings.IndexByte(`=>/"'`, c) >= 0 })
	if name == "" {
		return fmt.Errorf("Empty attribute name in the tag \"%s\" at byte offset %d", tag.name, begin)
	}
	unclosed := fmt.Errorf("Unclosed start tag \"%s\" at byte offset %d", tag.name, begin)
	p.skipSpaces()
	if p.peek() != '=' {
		if p.peek() == 0 {
			return unclosed
		}
		if tag.name == "blockquote" && name == "expandable" {
			tag.argument = "1"
		}
		return nil
	}
	p.pos++
	if p.skipSpaces(); p.peek() == 0 {
		return unclosed
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	if p.peek() == 0 {
		return fmt.Errorf("Unclosed start tag at byte offset %d", begin)
	}
	tag.set(name, value)
	return nil
}

// value reads what stands behind the equal sign, quoted or bare.
func (p *parser) value() (string, error) {
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		begin := p.pos
		name := p.until(func(c byte) bool { return !isAlnum(c) && c != '.' && c != '-' })
		if !isSpace(p.peek()) && p.peek() != '>' {
			return "", fmt.Errorf("Unexpected end of name token at byte offset %d", begin)
		}
		return strings.ToLower(name), nil
	}
	p.pos++
	var out strings.Builder
	for p.peek() != quote && p.peek() != 0 {
		if r, size := decodeReference(p.in[p.pos:]); size > 0 {
			out.WriteRune(r)
			p.pos += size
			continue
		}
		out.WriteByte(p.peek())
		p.pos++
	}
	if p.peek() == quote {
		p.pos++
	}
	return out.String(), nil
}

func (t *openTag) set(attribute, value string) {
	language, isLanguage := strings.CutPrefix(value, "language-")
	class, isOurs := strings.CutPrefix(value, "tg-")
	switch {
	case t.name == "a" && attribute == "href",
		t.name == "tg-emoji" && attribute == "emoji-id",
		t.name == "tg-time" && attribute == "format":
		t.argument = value
	case t.name == "code" && attribute == "class" && isLanguage:
		t.argument = language
	case t.name == "span" && attribute == "class" && isOurs:
		t.argument = class
	case t.name == "blockquote" && attribute == "expandable":
		t.argument = "1"
	case t.name == "tg-time" && attribute == "unix":
		t.unix, _ = strconv.ParseInt(value, 10, 32)
	}
}

func (p *parser) endTag() error {
	begin := p.pos
	if len(p.open) == 0 {
		return fmt.Errorf("Unexpected end tag at byte offset %d", begin)
	}
	p.pos += 2
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' }))
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
	return p.close(tag)
}
