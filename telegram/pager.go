package telegram

import (
	"fmt"
	"strings"
)

// markerRoom is the most that the "(2/3)" after a heading may take.
const markerRoom = " (9999999/9999999)"

// usualPart is what most messages fit in, in bytes.
const usualPart = 1 << 10

// page is a part without its heading.
type page struct {
	html, plain strings.Builder
	used        cost
	gap         int  // line breaks owed before the next line
	started     bool // it holds more than a repeated title
}

func (p *page) write(l line) {
	p.breakLine()
	for _, r := range l.runs {
		r.style.write(&p.html, r.text)
	}
	p.plain.WriteString(l.text)
	p.used, p.gap = p.used.plus(l.cost), 1
}

func (p *page) breakLine() {
	for range p.gap {
		p.html.WriteByte('\n')
		p.plain.WriteByte('\n')
	}
	p.used = p.used.plus(breaks(p.gap))
}

// append adds a page of text below the heading.
func (p *page) append(body *page) {
	if !body.started {
		return
	}
	if p.gap > 0 {
		p.gap = 2
	}
	p.breakLine()
	p.html.WriteString(body.html.String())
	p.plain.WriteString(body.plain.String())
	p.used = p.used.plus(body.used)
}

// pager fills pages, and turns to the next one when a piece does not fit.
type pager struct {
	*page
	pages   []*page
	room    cost // of an empty page
	heading line // empty: none, or one that is too long to be repeated
	title   line // of the block being cut, for the next page; empty: none
}

func newPager(heading line, room cost) *pager {
	p := &pager{room: room}
	if !heading.empty() && heading.cost.fits(repeated) {
		p.heading = heading
		p.room = p.room.minus(heading.cost).minus(textCost(markerRoom)).minus(breaks(2))
	}
	p.turn()
	return p
}

func (p *pager) turn() {
	p.page = new(page)
	p.html.Grow(usualPart)
	p.plain.Grow(usualPart)
	p.pages = append(p.pages, p.page)
}

func (p *pager) left() cost { return p.room.minus(p.used).minus(breaks(p.gap)) }

// add writes a block, on one page if it fits on one.
func (p *pager) add(b block) {
	if len(b.lines) == 0 {
		return
	}
	if p.started {
		p.gap = 2
	}
	whole := b.cost.fits(p.room)
	if p.started && !b.start(whole).fits(p.left()) {
		p.turn()
	}
	if !whole && b.title.cost.fits(repeated) {
		p.title = b.title
		defer func() { p.title = line{} }()
	}
	for _, l := range b.lines {
		p.line(l)
	}
}

// start is what must fit on a page for the block to begin there: all of it, or
// of a block that is cut anyway its title and a line.
func (b block) start(whole bool) cost {
	switch {
	case whole:
		return b.cost
	case b.title.empty() || len(b.lines) == 1:
		return cost{}
	}
	return b.title.cost.plus(breaks(1)).plus(b.lines[1].cost)
}

func (p *pager) line(l line) {
	if l.empty() {
		if p.started {
			p.gap++
		}
		return
	}
	if !l.cost.fits(p.left()) && l.cost.fits(p.room) {
		p.turnFor(l.cost)
	}
	if !l.cost.fits(p.left()) {
		p.long(l)
		return
	}
	p.put(l)
}

// turnFor turns to a page that goes on with the block being cut: below its
// title, if need fits there too.
func (p *pager) turnFor(need cost) {
	p.turn()
	if !p.title.empty() && need.plus(breaks(1)).plus(p.title.cost).fits(p.room) {
		p.write(p.title)
	}
}

// put writes a line; at the top of a page without its indent, which Telegram
// would take away.
func (p *pager) put(l line) {
	if l.empty() {
		return
	}
	if p.used == (cost{}) {
		l = l.trimLeft().measured()
	}
	p.write(l)
	p.started = true
}

// long writes a line that takes several pages. A word that does not fit goes to
// the next page, and is cut only if it does not fit there either.
func (p *pager) long(l line) {
	end := len(l.text) - strings.LastIndexFunc(l.text, visible)
	for len(l.text) >= end { // something of it can be seen
		room := p.left()
		size, words := l.within(room).cut(room, cluster)
		switch {
		case words > 0:
			size = words
		case p.started:
			p.turnFor(cost{})
			continue
		case size == 0:
			size, _ = l.cut(room, character)
		}
		var head line
		head, l = l.split(size)
		p.put(head)
	}
}

// parts puts the heading, numbered if there are several, on each page.
func (p *pager) parts() []Part {
	if p.heading.empty() && !p.started {
		return nil
	}
	parts := make([]Part, len(p.pages))
	for i, body := range p.pages {
		whole := new(page)
		whole.html.Grow(body.used.bytes + p.heading.cost.bytes + len(markerRoom))
		whole.plain.Grow(body.plain.Len() + len(p.heading.text) + len(markerRoom))
		if !p.heading.empty() {
			whole.write(p.heading)
			if n := len(p.pages); n > 1 {
				whole.gap = 0
				whole.write(newLine([]Span{{Text: fmt.Sprintf(" (%d/%d)", i+1, n)}}))
			}
		}
		whole.append(body)
		parts[i] = Part{
			HTML:     whole.html.String(),
			Plain:    whole.plain.String(),
			UTF16:    whole.used.units,
			Entities: whole.used.entities,
		}
	}
	return parts
}
