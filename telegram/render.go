package telegram

// Render turns a message into the parts that carry it, in order. It asks
// nothing of anybody and never fails: each part is valid and within [MaxText],
// [MaxEntities] and [MaxMarkup].
//
// A cut falls between groups, else between lines, else between words, else
// between grapheme clusters, and never inside of a style, an emoji or an
// accented letter; a cluster of more than a whole part is the one exception.
// Blanks at a cut are left out. A heading or a title that would fill a quarter
// of a part is not repeated. Message.Spare leaves room for a [Part.WithNote].
//
// A message in which nothing can be seen, such as the zero Message, has no parts.
func Render(m Message) []Part {
	p := newPager(newLine(m.Heading).trimLeft().measured(), wholePart.minus(spare(m.Spare)))
	if p.heading.empty() {
		p.add(newBlock(Group{Lines: [][]Span{m.Heading}}))
	}
	for _, g := range m.Groups {
		p.add(newBlock(g))
	}
	p.add(newBlock(Group{Lines: [][]Span{m.Footer}}))
	return p.parts()
}

// block is a group, cleaned and measured.
type block struct {
	title line   // empty: none
	lines []line // with the title; neither the first nor the last is empty
	cost  cost
}

func newBlock(g Group) block {
	b := block{lines: make([]line, 0, 1+len(g.Lines))}
	if b.title = newLine(g.Title).trimLeft().measured(); !b.title.empty() {
		b.lines = append(b.lines, b.title)
	}
	for _, spans := range g.Lines {
		if l := newLine(spans); !l.empty() || len(b.lines) > 0 {
			b.lines = append(b.lines, l)
		}
	}
	for n := len(b.lines); n > 0 && b.lines[n-1].empty(); n-- {
		b.lines = b.lines[:n-1]
	}
	b.cost = breaks(max(0, len(b.lines)-1))
	for _, l := range b.lines {
		b.cost = b.cost.plus(l.cost)
	}
	return b
}
