package telegramtest

import (
	"cmp"
	"math"
	"slices"
)

// Entity is a stretch of formatted text. Offset and Length count UTF-16 units,
// as the Bot API does: https://core.telegram.org/bots/api#messageentity
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`              // text_link
	Language string `json:"language,omitempty"`         // pre
	User     int64  `json:"user_id,omitempty"`          // text_mention
	Emoji    string `json:"custom_emoji_id,omitempty"`  // custom_emoji
	Time     int64  `json:"unix_time,omitempty"`        // date_time
	Format   string `json:"date_time_format,omitempty"` // date_time
}

func (e Entity) end() int { return e.Offset + e.Length }

// styles are what may overlap anything but code; the server cuts them where
// another entity begins or ends.
var styles = []string{"bold", "italic", "underline", "strikethrough", "spoiler"}

// priorities order entities of the same stretch; what is not here is 50.
var priorities = map[string]int{
	"blockquote": 0, "expandable_blockquote": 0, "pre": 10, "code": 20, "date_time": 30, "text_link": 49, "text_mention": 49,
	"bold": 90, "italic": 91, "underline": 92, "strikethrough": 93, "spoiler": 94, "custom_emoji": 99,
}

func (e Entity) priority() int {
	if p, ok := priorities[e.Type]; ok {
		return p
	}
	return 50
}

func (e Entity) isQuote() bool { return e.Type == "blockquote" || e.Type == "expandable_blockquote" }

// isVerbatim reports whether no style is left inside of e.
func (e Entity) isVerbatim() bool {
	return e.Type == "pre" || e.Type == "code" || e.Type == "date_time"
}

func sortEntities(entities []Entity) {
	slices.SortStableFunc(entities, func(a, b Entity) int {
		return cmp.Or(a.Offset-b.Offset, b.Length-a.Length, a.priority()-b.priority())
	})
}

// fixEntities makes of any entities what a message can have: links, code and
// the like do not overlap, quotes do not nest, nothing is inside of code, and
// styles are merged with their like and cut at every other border.
func fixEntities(entities []Entity) []Entity {
	var styled, quotes, rest []Entity
	sortEntities(entities)
	for _, e := range entities {
		switch {
		case slices.Contains(styles, e.Type):
			styled = append(styled, e)
		case e.isQuote():
			quotes = append(quotes, e)
		default:
			rest = append(rest, e)
		}
	}
	quotes = withoutOverlaps(quotes)
	rest = slices.DeleteFunc(withoutOverlaps(rest), func(e Entity) bool {
		return slices.ContainsFunc(quotes, func(q Entity) bool { return e.crosses(q) })
	})
	rest = append(rest, quotes...)
	sortEntities(rest)
	all := append(cutStyles(styled, rest), rest...)
	sortEntities(all)
	return all
}

// crosses reports whether e and q share something, and e is not inside of q.
func (e Entity) crosses(q Entity) bool {
	return e.Offset < q.end() && q.Offset < e.end() && (e.Offset < q.Offset || q.end() < e.end())
}

// withoutOverlaps keeps of sorted entities those that begin after the last one kept.
func withoutOverlaps(entities []Entity) []Entity {
	var kept []Entity
	for _, e := range entities {
		if len(kept) == 0 || e.Offset >= kept[len(kept)-1].end() {
			kept = append(kept, e)
		}
	}
	return kept
}

// cutStyles cuts sorted styles at the borders of the other entities, and at each
// other's beginnings; inside of code they are lost.
func cutStyles(styled, others []Entity) []Entity {
	c := cutter{styled: styled}
	var open []Entity
	reach := func(offset int) {
		for len(open) > 0 && open[len(open)-1].end() <= offset {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			before := len(c.out)
			c.reach(last.end())
			if last.isVerbatim() {
				c.out = c.out[:before]
			}
		}
		c.reach(offset)
	}
	for _, e := range others {
		reach(e.Offset)
		open = append(open, e)
	}
	reach(math.MaxInt)
	return c.out
}

// cutter goes through styles from left to right.
type cutter struct {
	styled []Entity
	open   [5]struct{ begin, end int } // by the index in styles; end 0: none
	out    []Entity
}

// reach takes up all styles that begin before offset, and cuts there.
func (c *cutter) reach(offset int) {
	for len(c.styled) > 0 && c.styled[0].Offset < offset {
		e := c.styled[0]
		c.styled = c.styled[1:]
		own := &c.open[slices.Index(styles, e.Type)]
		if own.end != 0 && e.Offset <= own.end {
			own.end = max(own.end, e.end())
			continue
		}
		c.cut(e.Offset)
		own.begin, own.end = e.Offset, e.end()
	}
	c.cut(offset)
}

func (c *cutter) cut(offset int) {
	for i, kind := range styles {
		s := &c.open[i]
		if s.end == 0 || s.begin >= offset {
			continue
		}
		c.out = append(c.out, Entity{Type: kind, Offset: s.begin, Length: min(s.end, offset) - s.begin})
		if s.begin = offset; s.end <= offset {
			s.begin, s.end = 0, 0
		}
	}
}
