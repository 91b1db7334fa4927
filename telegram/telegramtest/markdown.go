package telegramtest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseMarkdown reads the old Markdown, in which nothing nests.
func parseMarkdown(text string) (string, []Entity, error) {
	if !utf8.ValidString(text) {
		return "", nil, errNotUTF8
	}
	in, out := source{in: text}, writer{}
	var entities []Entity
	for in.pos < len(in.in) {
		switch c := in.peek(); {
		case c == '\\' && in.at(1) != 0 && strings.IndexByte("_*`[", in.at(1)) >= 0:
			out.put(rune(in.at(1)))
			in.pos += 2
		case strings.IndexByte("_*`[", c) < 0:
			out.put(in.rune())
		default:
			e, found, err := in.markdownEntity(&out)
			if err != nil {
				return "", nil, err
			}
			if found {
				entities = append(entities, e)
			}
		}
	}
	sortEntities(entities)
	return out.String(), entities, nil
}

// markdownEntity reads from one mark to the one that ends it.
func (s *source) markdownEntity(out *writer) (e Entity, found bool, err error) {
	begin, mark := s.pos, s.peek()
	end := string(mark)
	e = Entity{Type: map[byte]string{'_': "italic", '*': "bold", '`': "code", '[': "text_link"}[mark], Offset: out.units}
	switch {
	case mark == '[':
		end = "]"
	case s.has("```"):
		end, e.Type = "```", "pre"
	}
	s.pos += len(end)
	if e.Type == "pre" {
		e.Language = s.codeHead()
	}
	length := strings.Index(s.in[s.pos:], end)
	if length < 0 {
		return e, false, fmt.Errorf("Can't find end of the entity starting at byte offset %d", begin)
	}
	inside := s.in[s.pos : s.pos+length]
	for _, r := range inside {
		out.put(r)
	}
	s.pos += length + len(end)
	e.Length = out.units - e.Offset
	if mark != '[' {
		return e, e.Length > 0, nil
	}
	url := inside
	if s.peek() == '(' {
		s.pos++
		url = s.until(func(c byte) bool { return c == ')' })
		s.pos++
	}
	return e, e.link(url) && e.Length > 0, nil
}

// codeHead reads the language behind ``` and one line break.
func (s *source) codeHead() (language string) {
	begin := s.pos
	word := s.until(func(c byte) bool { return isSpace(c) || c == '`' })
	if s.pos < len(s.in) && s.peek() != '`' {
		language = word
	} else {
		s.pos = begin
	}
	first, second := s.peek(), s.at(1)
	if first == '\n' || first == '\r' {
		s.pos++
		if (second == '\n' || second == '\r') && first != second {
			s.pos++
		}
	}
	return language
}
