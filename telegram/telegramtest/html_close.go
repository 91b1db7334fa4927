package telegramtest

import (
	"errors"
	"strconv"
	"strings"
)

// close makes the entity of a tag that ended.
func (p *parser) close(tag openTag) error {
	e := Entity{Type: tags[tag.name], Offset: tag.offset, Length: p.out.units - tag.offset}
	if e.Length == 0 {
		return nil
	}
	switch tag.name {
	case "a":
		url := tag.argument
		if url == "" {
			url = p.out.String()[tag.begin:]
		}
		if !e.link(url) {
			return nil
		}
	case "code", "pre":
		if p.joinCode(e, tag.argument) {
			return nil
		}
		e.Language = tag.argument
	case "blockquote":
		if tag.argument != "" {
			e.Type = "expandable_blockquote"
		}
	case "tg-emoji":
		if id, err := strconv.ParseInt(tag.argument, 10, 64); err != nil || id == 0 {
			return errors.New("Invalid custom emoji identifier specified")
		}
		e.Emoji = tag.argument
	case "tg-time":
		if !isTimeFormat(tag.argument) {
			return errors.New("Invalid date format used")
		}
		if e.Time, e.Format = tag.unix, tag.argument; e.Time <= 0 {
			return nil
		}
	}
	p.result = append(p.result, e)
	return nil
}

// joinCode makes one entity of a pre and a code around the same text, of which
// the code names a language.
func (p *parser) joinCode(e Entity, language string) bool {
	if len(p.result) == 0 {
		return false
	}
	last := &p.result[len(p.result)-1]
	if last.Offset != e.Offset || last.Length != e.Length {
		return false
	}
	switch {
	case e.Type == "pre" && last.Type == "code" && last.Language != "":
		last.Type = "pre"
		return true
	case e.Type == "code" && last.Type == "pre" && last.Language == "" && language != "":
		last.Language = language
		return true
	}
	return false
}

// isTimeFormat is true of "r", or any mix of t, T, d, D, w.
func isTimeFormat(format string) bool {
	return strings.EqualFold(format, "r") || strings.Trim(format, "tTdDwW") == ""
}

// decodeReference reads a character reference at the start of s. Only four
// names and numbers are known: https://core.telegram.org/bots/api#html-style
func decodeReference(s string) (r rune, size int) {
	if !strings.HasPrefix(s, "&") {
		return 0, 0
	}
	if strings.HasPrefix(s, "&#") {
		return decodeNumber(s)
	}
	end := 1
	for end < len(s) && isAlpha(s[end]) {
		end++
	}
	switch s[1:end] {
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "amp":
		r = '&'
	case "quot":
		r = '"'
	default:
		return 0, 0
	}
	return r, withSemicolon(s, end)
}

func decodeNumber(s string) (rune, int) {
	base, begin := 10, 2
	if strings.HasPrefix(s, "&#x") {
		base, begin = 16, 3
	}
	end := begin
	for end < len(s) && (isDigit(s[end]) || base == 16 && isHex(s[end])) {
		end++
	}
	n, err := strconv.ParseInt(s[begin:end], base, 64)
	if err != nil || n == 0 || n >= 0x10FFFF || end >= 10 {
		return 0, 0
	}
	return rune(n), withSemicolon(s, end)
}

func withSemicolon(s string, end int) int {
	if end < len(s) && s[end] == ';' {
		return end + 1
	}
	return end
}
