package telegramtest

import (
	"strings"
	"unicode/utf8"
)

// source is a text that is parsed, and how far. Its end reads as a 0 byte.
type source struct {
	in  string
	pos int
}

func (s *source) peek() byte { return s.at(0) }

func (s *source) at(n int) byte {
	if s.pos+n < len(s.in) {
		return s.in[s.pos+n]
	}
	return 0
}

func (s *source) has(prefix string) bool {
	return len(s.in)-s.pos >= len(prefix) && s.in[s.pos:s.pos+len(prefix)] == prefix
}

// rune takes one character.
func (s *source) rune() rune {
	r, size := utf8.DecodeRuneInString(s.in[s.pos:])
	s.pos += size
	return r
}

// until takes all bytes before the first that stop holds for.
func (s *source) until(stop func(byte) bool) string {
	begin := s.pos
	for s.pos < len(s.in) && !stop(s.in[s.pos]) {
		s.pos++
	}
	return s.in[begin:s.pos]
}

func (s *source) skipSpaces() {
	for s.peek() != 0 && isSpace(s.peek()) {
		s.pos++
	}
}

// writer collects text without markup, and counts its UTF-16 units.
type writer struct {
	strings.Builder
	units int
}

func (w *writer) put(r rune) {
	w.WriteRune(r)
	w.units += utf16Len(r)
}

// isSpace is the server's idea of a blank; the form feed is none.
func isSpace(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '\v', 0:
		return true
	}
	return false
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func utf16Len(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

func utf16Count(text string) int {
	n := 0
	for _, r := range text {
		n += utf16Len(r)
	}
	return n
}
