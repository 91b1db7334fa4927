package telegram

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// line is one line of a part: its whole text, and the same text as runs.
type line struct {
	text string
	runs []run
	cost cost
}

// run is a stretch of a line in one style.
type run struct {
	text  string
	style style
}

func (r run) cost() cost { return textCost(r.text).plus(r.style.cost()) }

// newLine cleans spans and merges neighbours of the same style. A blank span
// has no style of its own: it goes on in the style before it, or is plain.
// Blanks at the end are left out.
func newLine(spans []Span) line {
	var (
		text strings.Builder
		runs = make([]run, 0, len(spans))
		few  [8]int
		ends = few[:0] // of the runs, in text
	)
	text.Grow(textLen(spans))
	for _, s := range spans {
		piece, st := s.styled()
		if piece == "" {
			continue
		}
		last := len(runs) - 1
		if blank(piece) && (last < 0 || runs[last].style != st) {
			st = style{}
		}
		text.WriteString(piece)
		if last >= 0 && runs[last].style == st {
			ends[last] = text.Len()
			continue
		}
		runs, ends = append(runs, run{style: st}), append(ends, text.Len())
	}
	l, from := line{text: text.String(), runs: runs}, 0
	for i, end := range ends {
		runs[i].text, from = l.text[from:end], end
	}
	return l.trimRight().measured()
}

func textLen(spans []Span) int {
	n := 0
	for _, s := range spans {
		n += len(s.Text)
	}
	return n
}

func (l line) measured() line {
	l.cost = cost{}
	for _, r := range l.runs {
		l.cost = l.cost.plus(r.cost())
	}
	return l
}

// empty says that l would show nothing.
func (l line) empty() bool { return blank(l.text) }

func (l line) trimRight() line {
	l.text = strings.TrimRightFunc(l.text, unicode.IsSpace)
	for i := len(l.runs) - 1; i >= 0; i-- {
		r := &l.runs[i]
		if r.text = strings.TrimRightFunc(r.text, unicode.IsSpace); r.text != "" {
			break
		}
		l.runs = l.runs[:i]
	}
	return l
}

func (l line) trimLeft() line {
	l.text = strings.TrimLeftFunc(l.text, unicode.IsSpace)
	for len(l.runs) > 0 {
		r := &l.runs[0]
		if r.text = strings.TrimLeftFunc(r.text, unicode.IsSpace); r.text != "" {
			break
		}
		l.runs = l.runs[1:]
	}
	return l
}

// split cuts l in two. The tail takes over the runs of l and is not measured:
// measuring what is left at each cut would make long lines quadratic.
func (l line) split(at int) (head, tail line) {
	head.text, tail.text = l.text[:at], l.text[at:]
	tail.runs = l.runs
	for at > 0 {
		r := &tail.runs[0]
		n := min(at, len(r.text))
		head.runs = append(head.runs, run{r.text[:n], r.style})
		if r.text = r.text[n:]; r.text == "" {
			tail.runs = tail.runs[1:]
		}
		at -= n
	}
	return head.trimRight().measured(), tail.trimLeft()
}

// step returns the length of the next piece of text that stays whole.
type step func(text string, state int) (size, next int)

// cluster steps over what a reader sees as one character: a letter with its
// marks, a flag, a family of emoji.
func cluster(text string, state int) (size, next int) {
	piece, _, _, next := uniseg.FirstGraphemeClusterInString(text, state)
	return len(piece), next
}

// character steps over a code point, for a cluster that is over the limit alone.
func character(text string, _ int) (size, next int) {
	_, size = utf8.DecodeRuneInString(text)
	return size, 0
}

// cut says how much of l fits into room, in bytes, and how much of that is whole
// words (0: not even one). It reads no further than that.
func (l line) cut(room cost, next step) (size, words int) {
	runs, inRun, state, seen := l.runs, 0, -1, false
	for size < len(l.text) {
		n, after := next(l.text[size:], state)
		piece := l.text[size : size+n]
		space := piece == " "
		if space && seen {
			words = size
		}
		need := textCost(piece)
		for inRun < n {
			need = need.plus(runs[0].style.cost())
			inRun += len(runs[0].text)
			runs = runs[1:]
		}
		if !need.fits(room) {
			return size, words
		}
		room, inRun, state, size = room.minus(need), inRun-n, after, size+n
		seen = seen || !space
	}
	return size, size
}

// within is l up to the first character that does not fit into room. In that no
// cluster takes longer to read than a part holds.
func (l line) within(room cost) line {
	size, _ := l.cut(room, character)
	_, next := utf8.DecodeRuneInString(l.text[size:])
	l.text = l.text[:size+next]
	return l
}
