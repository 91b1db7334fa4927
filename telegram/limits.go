package telegram

import "unicode/utf8"

// What one message may hold.
const (
	// MaxText is the longest text after parsing, in UTF-16 units: the stricter
	// reading of "1-4096 characters after entities parsing".
	// https://core.telegram.org/bots/api#sendmessage
	MaxText = 4096

	// MaxMarkup is the longest text before parsing, in bytes; a longer one is
	// "Bad Request: text is too long".
	// https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
	MaxMarkup = 32768

	// MaxEntities is how many styles and links one part may hold. Telegram
	// silently drops what is over 100, and finds some by itself (mentions,
	// addresses, hashtags), so that a few are left to it.
	// https://core.telegram.org/api/entities
	MaxEntities = 90
)

const (
	// maxURL keeps a link far below MaxMarkup, whatever else is in the part.
	// https://www.sitemaps.org/protocol.html calls for URLs below 2048 characters.
	maxURL = 2048

	// maxRepeat is the share of a part, one in so many, up to which a heading
	// or a title is repeated. A longer one is text that is said once.
	maxRepeat = 4
)

// cost is what a piece of text takes of a part.
type cost struct{ units, entities, bytes int }

var (
	wholePart = cost{MaxText, MaxEntities, MaxMarkup}
	repeated  = cost{MaxText / maxRepeat, MaxEntities / maxRepeat, MaxMarkup / maxRepeat}
)

func (c cost) plus(d cost) cost {
	return cost{c.units + d.units, c.entities + d.entities, c.bytes + d.bytes}
}

func (c cost) minus(d cost) cost {
	return cost{c.units - d.units, c.entities - d.entities, c.bytes - d.bytes}
}

func (c cost) fits(room cost) bool {
	return c.units <= room.units && c.entities <= room.entities && c.bytes <= room.bytes
}

// breaks is the cost of n line breaks.
func breaks(n int) cost { return cost{units: n, bytes: n} }

// textCost is the cost of text without its style.
func textCost(text string) cost {
	var c cost
	for i := 0; i < len(text); {
		if b := text[i]; b < utf8.RuneSelf {
			c.units++
			c.bytes += escapedLen(b)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		c.units += utf16Len(r)
		c.bytes += size
		i += size
	}
	return c
}
