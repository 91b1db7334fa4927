package telegramtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// markdown2 reads MarkdownV2 (tdlib/td, parse_markdown_v2).
type markdown2 struct {
	source
	out       writer
	open      []openMark
	quoted    bool // a quote is open
	lineStart bool // a quote may begin here
	result    []Entity
}

type openMark struct {
	kind, language string
	offset         int // UTF-16 units
	at             int // byte of the input
	begin          int // byte of the output
}

// names are how error texts call the entities.
var names = map[string]string{
	"bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough", "spoiler": "Spoiler",
	"code": "Code", "pre": "Pre", "text_link": "TextUrl", "custom_emoji": "CustomEmoji", "blockquote": "BlockQuote",
}

func (m openMark) unclosed() error {
	name := names[m.kind]
	if m.language != "" {
		name = "PreCode"
	}
	return fmt.Errorf("Can't find end of %s entity at byte offset %d", name, m.at)
}

func parseMarkdownV2(text string) (string, []Entity, error) {
	if !utf8.ValidString(text) {
		return "", nil, errNotUTF8
	}
	p := markdown2{source: source{in: text}, lineStart: true}
	for p.pos < len(p.in) {
		if err := p.step(); err != nil {
			return "", nil, err
		}
	}
	if err := p.finish(); err != nil {
		return "", nil, err
	}
	sortEntities(p.result)
	return p.out.String(), p.result, nil
}

func (p *markdown2) step() error {
	c := p.peek()
	if c == '\\' && 0 < p.at(1) && p.at(1) <= 126 {
		p.pos++
		p.plain()
		return nil
	}
	reserved := "_*[]()~`>#+-=|{}.!\n"
	if n := len(p.open); n > 0 && (p.open[n-1].kind == "code" || p.open[n-1].kind == "pre") {
		reserved = "`"
	}
	switch {
	case strings.IndexByte(reserved, c) < 0:
		p.plain()
		return nil
	case p.atEnd():
		return p.close()
	}
	return p.begin()
}

// plain takes one character that means only itself.
func (p *markdown2) plain() {
	r := p.rune()
	p.out.put(r)
	if r != '\r' {
		p.lineStart = r == '\n'
	}
}

// atEnd reports whether the innermost entity ends here.
func (p *markdown2) atEnd() bool {
	if len(p.open) == 0 {
		return false
	}
	if p.quoted && p.peek() == '\n' && p.at(1) != '>' {
		return true
	}
	switch p.open[len(p.open)-1].kind {
	case "bold":
		return p.has("*")
	case "italic":
		return p.has("_") && !p.has("__")
	case "underline":
		return p.has("__")
	case "strikethrough":
		return p.has("~")
	case "spoiler":
		return p.has("||")
	case "code":
		return p.has("`")
	case "pre":
		return p.has("```")
	case "text_link", "custom_emoji":
		return p.has("]")
	}
	return false
}

// begin opens an entity.
func (p *markdown2) begin() error {
	m := openMark{at: p.pos}
	size := 1
	switch {
	case p.has("\n"):
		p.plain()
		return nil
	case p.has(">") && p.lineStart:
		p.pos++
		if p.quoted { // the next line of the same quote
			return nil
		}
		p.quoted = true
		p.push(m, "blockquote")
		return nil
	case p.has("```"):
		p.pos += 3
		m.language = p.codeHead()
		p.push(m, "pre")
		return nil
	case p.has("__"), p.has("||"), p.has("!["):
		size = 2
	case strings.IndexByte("_*~`[", p.peek()) < 0:
		return fmt.Errorf("Character '%c' is reserved and must be escaped with the preceding '\\'", p.peek())
	}
	kind := map[string]string{
		"_": "italic", "__": "underline", "*": "bold", "~": "strikethrough", "||": "spoiler",
		"`": "code", "[": "text_link", "![": "custom_emoji",
	}[p.in[p.pos:p.pos+size]]
	p.pos += size
	p.push(m, kind)
	return nil
}

func (p *markdown2) push(m openMark, kind string) {
	m.kind, m.offset, m.begin = kind, p.out.units, p.out.Len()
	p.open = append(p.open, m)
}

// close ends the innermost entity; a line break ends a quote.
func (p *markdown2) close() error {
	m := p.open[len(p.open)-1]
	e := Entity{Type: m.kind, Offset: m.offset, Length: p.out.units - m.offset, Language: m.language}
	if p.peek() == '\n' {
		kind, err := p.endQuote(p.pos)
		if err != nil {
			return err
		}
		m = p.open[len(p.open)-1]
		e = Entity{Type: kind, Offset: m.offset}
		p.plain() // the line break is part of the quote
		p.lineStart = true
		e.Length = p.out.units - e.Offset
	} else {
		keep, err := p.closeMark(m, &e)
		if err != nil {
			return err
		}
		if !keep {
			e.Length = 0
		}
	}
	p.open = p.open[:len(p.open)-1]
	if e.Length > 0 {
		p.result = append(p.result, e)
	}
	return nil
}

// closeMark passes the mark that ends m, and what belongs to it.
func (p *markdown2) closeMark(m openMark, e *Entity) (keep bool, err error) {
	switch m.kind {
	case "underline", "spoiler":
		p.pos += 2
	case "pre":
		p.pos += 3
	case "text_link":
		p.pos++
		url := p.out.String()[m.begin:]
		if p.peek() == '(' {
			if url, err = p.address(); err != nil {
				return false, err
			}
		}
		return e.link(url), nil
	case "custom_emoji":
		p.pos++
		if p.peek() != '(' {
			return false, errors.New("The entity must contain a tg://emoji or tg://time URL")
		}
		url, err := p.address()
		if err != nil {
			return false, err
		}
		id, ok := strings.CutPrefix(strings.ToLower(url), "tg://emoji?id=")
		if n, err := strconv.ParseInt(id, 10, 64); !ok || err != nil || n == 0 {
			return false, errors.New("Invalid tg://emoji or tg://time URL specified")
		}
		e.Emoji = id
	default:
		p.pos++
	}
	return true, nil
}

// address reads (url), in which a backslash escapes.
func (p *markdown2) address() (string, error) {
	p.pos++
	begin := p.pos
	var out strings.Builder
	for p.pos < len(p.in) && p.peek() != ')' {
		if p.peek() == '\\' && 0 < p.at(1) && p.at(1) <= 126 {
			p.pos++
		}
		out.WriteByte(p.peek())
		p.pos++
	}
	if p.peek() != ')' {
		return "", fmt.Errorf("Can't find end of a URL at byte offset %d", begin)
	}
	p.pos++
	return out.String(), nil
}

// endQuote is what a quote that ends at byte end is: expandable if an empty
// spoiler is open, which its last line ends with. The quote is then innermost.
func (p *markdown2) endQuote(end int) (string, error) {
	kind := "blockquote"
	m := p.open[len(p.open)-1]
	if m.kind == "spoiler" && (m.at == end-2 || m.at == end-3 && p.in[end-1] == '\r') {
		p.open = p.open[:len(p.open)-1]
		kind, m = "expandable_blockquote", p.open[len(p.open)-1]
	}
	if m.kind != "blockquote" {
		return "", m.unclosed()
	}
	p.quoted = false
	return kind, nil
}

func (p *markdown2) finish() error {
	if p.quoted {
		kind, err := p.endQuote(len(p.in))
		if err != nil {
			return err
		}
		m := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		if length := p.out.units - m.offset; length > 0 {
			p.result = append(p.result, Entity{Type: kind, Offset: m.offset, Length: length})
		}
	}
	if n := len(p.open); n > 0 {
		return p.open[n-1].unclosed()
	}
	return nil
}
