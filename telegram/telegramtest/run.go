package telegramtest

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf16"
)

// run is a stretch of text under the same entities, as the page shows it.
type run struct {
	Text  string
	URL   string
	class map[string]bool
}

// classes are the page's names for entities.
var classes = map[string]string{
	"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "spoiler": "spoiler", "code": "code", "pre": "pre",
	"blockquote": "quote", "expandable_blockquote": "quote", "text_mention": "at", "mention": "at", "hashtag": "at",
	"bot_command": "at", "date_time": "u",
}

// runs cuts the text wherever an entity begins or ends.
func runs(text string, entities []Entity) []run {
	units := utf16.Encode([]rune(text))
	cuts := []int{0, len(units)}
	for _, e := range entities {
		cuts = append(cuts, e.Offset, e.end())
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []run
	for i := 1; i < len(cuts); i++ {
		r := run{Text: string(utf16.Decode(units[cuts[i-1]:cuts[i]])), class: map[string]bool{}}
		for _, e := range entities {
			if e.Offset <= cuts[i-1] && cuts[i] <= e.end() {
				r.apply(e)
			}
		}
		out = append(out, r)
	}
	return out
}

func (r *run) apply(e Entity) {
	if class := classes[e.Type]; class != "" {
		r.class[class] = true
	}
	switch e.Type {
	case "text_link":
		r.URL = e.URL
	case "url":
		r.URL = cmp.Or(r.URL, r.Text)
	}
}

// Class is the run's CSS classes.
func (r run) Class() string {
	var names []string
	for name := range r.class {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
