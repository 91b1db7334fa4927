package telegram

// Message is a text as data: what it says and where it may be cut, not how
// Telegram marks it up. [Render] turns it into parts.
//
// An element of Lines is one line in the chat. A line break inside of a
// [Span] is a space: names and comments from elsewhere cannot add lines.
type Message struct {
	// Heading is the first line. When the message takes several parts each
	// begins with it, followed by "(2/3)".
	Heading []Span
	// Groups follow, with an empty line between them.
	Groups []Group
	// Footer ends the message, after an empty line; in the last part only.
	Footer []Span
	// Spare is how many UTF-16 units each part leaves free, for what may have to
	// be said of it later: see [Part.WithNote]. 0, or less: none; at most 1024.
	Spare int
}

// Group is a run of lines that belong together, such as one day of a list. It
// is kept whole, in one part, unless it alone is over the limit; then it is cut
// between lines, and the part that goes on with it repeats its Title.
type Group struct {
	Title []Span   // the first line; none: no such line
	Lines [][]Span // a line without text is an empty line
}

// Span is a piece of text in one style. Spans follow each other without a
// blank, and do not nest.
type Span struct {
	// Text is shown as it is; nothing in it is markup. Control characters
	// become spaces.
	Text string
	// URL makes the text a link: an http or https URL of a host with a dot in its
	// name, or of an IPv6 address; or one of Telegram's own, such as
	// tg://user?id=5512345, which mentions a person whom the bot has met. It has
	// no blanks and at most 2048 bytes.
	//
	// Telegram drops any other link. So that the address is not lost it follows
	// the text, in parentheses, unless that has it already:
	// "Panel (http://localhost:8080)"; of a mailto: link the mail address.
	URL string
	// Bold and Italic go together, and with URL.
	Bold, Italic bool
	// Code is fixed width. Telegram shows nothing else inside of it: Bold and
	// Italic are ignored. With a URL it is the Code that is ignored.
	Code bool
}

// Part is one message as Telegram accepts it. [Render] makes them; one made by
// hand needs HTML or Plain.
type Part struct {
	// HTML is the text in Telegram's HTML; "": Plain is sent, without markup.
	HTML string
	// Plain is what the chat shows of HTML: the same text without markup, for
	// terminals, and for [Bot.Deliver] to fall back on.
	Plain string
	// UTF16 is the length of Plain in UTF-16 units, as Telegram counts it. It and
	// Entities are for who looks at a Part: to send one by hand they may be zero.
	UTF16 int
	// Entities is how many styles and links HTML holds; bold and italic are two.
	Entities int
}
