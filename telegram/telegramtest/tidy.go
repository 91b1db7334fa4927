package telegramtest

import (
	"slices"
	"strings"
	"unicode"
)

// tidy does to a text what the server does before it counts: control characters
// become spaces, \r is deleted, blanks at both ends go. Entities move along,
// and those over the limit are dropped.
func tidy(text string, entities []Entity) (string, []Entity) {
	var out strings.Builder
	moved := make([]int, 0, len(text)+1) // old UTF-16 offset → new one
	units := 0
	for _, r := range text {
		for range utf16Len(r) {
			moved = append(moved, units)
		}
		if r == '\r' {
			continue
		}
		if r != '\n' && r < ' ' || r == 0x7F {
			r = ' '
		}
		out.WriteRune(r)
		units += utf16Len(r)
	}
	moved = append(moved, units)
	clean := out.String()
	left := strings.TrimLeftFunc(clean, unicode.IsSpace)
	shift := utf16Count(clean[:len(clean)-len(left)])
	trimmed := strings.TrimRightFunc(left, unicode.IsSpace)
	end := utf16Count(trimmed)
	var kept []Entity
	for _, e := range entities {
		from := min(max(moved[e.Offset]-shift, 0), end)
		to := min(max(moved[e.Offset+e.Length]-shift, 0), end)
		if e.Offset, e.Length = from, to-from; e.Length > 0 {
			kept = append(kept, e)
		}
	}
	return trimmed, limited(kept)
}

// limited drops what is over the limit: links, code, quotes stay before bold,
// italic and their like.
func limited(entities []Entity) []Entity {
	if len(entities) <= maxEntities {
		return entities
	}
	rank := func(e Entity) int {
		switch e.Type {
		case "bold", "italic", "underline", "strikethrough", "spoiler":
			return 1
		}
		return 0
	}
	byRank := slices.Clone(entities)
	slices.SortStableFunc(byRank, func(a, b Entity) int { return rank(a) - rank(b) })
	byRank = byRank[:maxEntities]
	slices.SortStableFunc(byRank, func(a, b Entity) int { return a.Offset - b.Offset })
	return byRank
}
