package telegram

import "strings"

// maxSpare keeps a Message.Spare from leaving no room for the message itself.
const maxSpare = MaxText / maxRepeat

// spare is what Message.Spare takes of each part: in the worst case every unit
// of the note is a character that is escaped, below the note is a line break, and
// the note is in italics.
func spare(units int) cost {
	units = min(units, maxSpare)
	if units <= 0 {
		return cost{}
	}
	return cost{units: units, bytes: units * len("&quot;")}.plus(noteStyle.cost())
}

var noteStyle = style{italic: true}

// WithNote returns p with a note as its first line, in italics: something that
// became known after p was rendered, and that must be seen first. Nothing in the
// note is markup.
//
// Of a note that is too long the end is left out, so that the part stays within
// the limits. Message.Spare makes sure of its place: one unit more than the note
// has.
func (p Part) WithNote(note string) Part {
	l := newLine([]Span{{Text: note, Italic: true}}).trimLeft().measured()
	room := wholePart.minus(breaks(1)).minus(cost{units: p.units(), entities: p.Entities, bytes: len(p.HTML)})
	if p.HTML == "" {
		room.bytes = MaxMarkup - 1 - len(p.Plain)
	}
	if !l.cost.fits(room) {
		size, _ := l.cut(room, cluster)
		l, _ = l.split(size)
	}
	if l.empty() {
		return p
	}
	units := p.units()
	if p.HTML != "" {
		var html strings.Builder
		for _, r := range l.runs {
			r.style.write(&html, r.text)
		}
		p.HTML = html.String() + "\n" + p.HTML
		p.Entities += l.cost.entities
	}
	if p.Plain != "" {
		p.Plain = l.text + "\n" + p.Plain
	}
	p.UTF16 = units + l.cost.units + 1
	return p
}
