package telegramtest

import (
	"slices"
	"strings"
)

// maxEntities of a message; more are dropped silently.
const maxEntities = 100

// tidy does to a text what the server does before it counts
// (tdlib/td, fix_formatted_text): control characters become spaces, some
// characters are deleted, blanks at both ends go, though not those that an
// entity begins with. Entities move along, are fixed, and those over the limit
// are dropped. A text of blanks becomes "".
func tidy(text string, entities []Entity) (string, []Entity) {
	clean, moved := deleteControls(text)
	shifted := make([]Entity, 0, len(entities))
	for _, e := range entities {
		if e.Offset < 0 || e.Length <= 0 || e.end() >= len(moved) {
			continue
		}
		end := moved[e.end()]
		if e.Offset = moved[e.Offset]; end > e.Offset {
			e.Length = end - e.Offset
			shifted = append(shifted, e)
		}
	}
	clean = strings.TrimRight(clean, " \n")
	clean, shifted = trimLeft(clean, cropped(shifted, utf16Count(clean)))
	if isBlank(clean) {
		return "", nil
	}
	return clean, fixEntities(limited(fixEntities(shifted)))
}

// deleteControls also says where each UTF-16 unit of text went to.
func deleteControls(text string) (string, []int) {
	var out strings.Builder
	moved := make([]int, 0, len(text)+1)
	units := 0
	for _, r := range text {
		for range utf16Len(r) {
			moved = append(moved, units)
		}
		switch {
		case r == '\r', '\u2028' <= r && r <= '\u202e', r == '\u0333', r == '\u033f', r == '\u030a':
			continue // line separators, changes of direction, vertical lines
		case r < ' ' && r != '\n':
			r = ' '
		}
		out.WriteRune(r)
		units += utf16Len(r)
	}
	return calmMarks(out.String()), append(moved, units)
}

// calmMarks leaves of a run of direction marks only the last one: the others
// become joiners without a width.
func calmMarks(text string) string {
	if !strings.ContainsAny(text, "\u200e\u200f") {
		return text
	}
	runes := []rune(text)
	for i := 0; i+1 < len(runes); i++ {
		if isMark(runes[i]) && isMark(runes[i+1]) {
			runes[i] = '\u200c'
		}
	}
	return string(runes)
}

func isMark(r rune) bool { return r == '\u200e' || r == '\u200f' }

// cropped cuts what reaches behind the end of the text.
func cropped(entities []Entity, end int) []Entity {
	var kept []Entity
	for _, e := range entities {
		if e.Length = min(e.end(), end) - e.Offset; e.Length > 0 {
			kept = append(kept, e)
		}
	}
	return kept
}

// trimLeft stops at the first entity.
func trimLeft(text string, entities []Entity) (string, []Entity) {
	first := len(text)
	for _, e := range entities {
		first = min(first, e.Offset)
	}
	n := 0 // blanks are one unit and one byte each
	for n < first && (text[n] == ' ' || text[n] == '\n') {
		n++
	}
	for i := range entities {
		entities[i].Offset -= n
	}
	return text[n:], entities
}

// isBlank reports whether nothing of the text can be seen.
func isBlank(text string) bool {
	return strings.TrimFunc(text, func(r rune) bool {
		return r == ' ' || r == '\n' || strings.ContainsRune(blanks, r) || '\U000e0000' <= r && r <= '\U000e007f'
	}) == ""
}

// blanks are characters without ink: spaces of Unicode, and marks of width zero.
const blanks = "\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f" +
	"\u202e\u202f\u205f\u2800\u3000\ufeff\ufffc"

// limited drops what is over the limit: links, code and quotes first have their
// place, then bold, italic and their like; emoji do not count.
func limited(entities []Entity) []Entity {
	var kept []Entity
	count := 0
	take := func(e Entity) {
		if count < maxEntities {
			kept = append(kept, e)
			count++
		}
	}
	for _, e := range entities {
		switch {
		case e.Type == "custom_emoji":
			kept = append(kept, e)
		case !slices.Contains(styles, e.Type):
			take(e)
		}
	}
	var styled []Entity
	for _, e := range entities {
		if slices.Contains(styles, e.Type) {
			styled = append(styled, e)
		}
	}
	for _, e := range cutStyles(styled, nil) { // the pieces beside a link join again
		take(e)
	}
	return kept
}
