package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Target is where a message goes, and how. Links in it show no preview.
type Target struct {
	// Chat is a chat's id ("-1001234567890", "5512345") or a public channel's or
	// supergroup's name ("@canal"). The bot must be a member, or the person must
	// have written to it first.
	Chat string
	// Thread is a topic of a forum; zero, or 1: General. A group without topics
	// ignores it.
	Thread int
	// Silent delivers without a sound.
	Silent bool
	// Protect keeps the message from being forwarded or saved.
	Protect bool
}

// Sent is a message that Telegram acknowledged.
type Sent struct {
	// ID is the message's id, which counts up in each chat; zero: not sent.
	ID int64
	// Chat it went to: Target.Chat, or the new id once the group has become a
	// supergroup; keep that one.
	Chat string
	// Attempts is how many requests it took, the last one included.
	Attempts int
	// At is when Telegram dated the message, in whole seconds of its clock; where
	// the answer has no date, when it came.
	At time.Time
	// Degraded says that Telegram refused the markup, and the message went out
	// as plain text.
	Degraded bool
	// Raw is Telegram's whole answer, envelope included.
	Raw json.RawMessage
}

// general is the topic that a forum always has. The Bot API refuses to find it
// when it is named: it is where a message without a thread goes.
const general = 1

// chatForm is a chat's id or a public name: https://core.telegram.org/bots/api#sendmessage
var chatForm = regexp.MustCompile(`^(-?[1-9][0-9]{0,18}|@[A-Za-z][A-Za-z0-9_]{3,31})$`)

// Check says what is wrong with a Target, as Send and Deliver do: [ErrInvalid].
// Whether there is such a chat, only Telegram knows.
func (t Target) Check() error {
	switch {
	case t.Chat == "":
		return invalid("Target.Chat", `it is empty; give a chat's id such as "-1001234567890", or "@name"`)
	case !chatForm.MatchString(t.Chat):
		return invalid("Target.Chat", `it must be a number such as "-1001234567890", or "@name"`)
	case t.Thread < 0:
		return invalid("Target.Thread", "%d is negative; 0 means none", t.Thread)
	}
	return nil
}

func (p Part) check() error {
	field := "Part.HTML"
	if p.HTML == "" {
		field = "Part.Plain"
	}
	switch text, units := p.text(), p.units(); {
	case text == "":
		return invalid("Part", "HTML and Plain are empty; Telegram refuses a message without text")
	case len(text) > MaxMarkup:
		return invalid(field, "it has %d bytes, Telegram takes %d; Render makes parts that fit", len(text), MaxMarkup)
	case units > MaxText:
		return invalid(field, "it has %d UTF-16 units, Telegram takes %d; Render makes parts that fit", units, MaxText)
	case blank(p.shown()):
		return invalid(field, "nothing in it can be seen; Telegram refuses a message without text")
	}
	return nil
}

// shown is what a chat shows of it.
func (p Part) shown() string {
	if p.HTML != "" && blank(p.Plain) {
		return shownOf(p.HTML)
	}
	return p.Plain
}

// units is the length of that, as the server counts it.
func (p Part) units() int { return textCost(strings.TrimSpace(clean(p.shown()))).units }

// markup is a tag, or a character by name or number.
var markup = regexp.MustCompile(`<(?:[^<>"']|"[^"]*"|'[^']*')*>|&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9A-Fa-f]+);`)

// shownOf is HTML without its tags, for its length.
func shownOf(html string) string {
	return markup.ReplaceAllStringFunc(html, func(found string) string {
		if found[0] == '<' {
			return ""
		}
		return "&"
	})
}

// text is what is sent.
func (p Part) text() string { return cmp.Or(p.HTML, p.Plain) }

const sendMessage = "sendMessage"

// sendMessageArgs are the method's arguments.
// https://core.telegram.org/bots/api#sendmessage
type sendMessageArgs struct {
	Chat        string `json:"chat_id"`
	Thread      int    `json:"message_thread_id,omitempty"`
	Text        string `json:"text"`
	ParseMode   string `json:"parse_mode,omitempty"`
	LinkPreview struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
	Silent  bool `json:"disable_notification,omitempty"`
	Protect bool `json:"protect_content,omitempty"`
}

func newSendMessageArgs(to Target, p Part) sendMessageArgs {
	args := sendMessageArgs{Chat: to.Chat, Text: p.text(), Silent: to.Silent, Protect: to.Protect}
	args.LinkPreview.Disabled = true
	if to.Thread != general {
		args.Thread = to.Thread
	}
	if p.HTML != "" {
		args.ParseMode = "HTML"
	}
	return args
}

// Send sends one part, once: no gate, no repeat, no migration followed.
//
// A wrong argument is [ErrInvalid], and nothing was sent. Any other error is an
// [*Error], whose Outcome says whether the message may be sent again.
// [Bot.Deliver] draws the conclusions.
func (b *Bot) Send(ctx context.Context, to Target, p Part) (Sent, error) {
	if ctx == nil {
		return Sent{}, errNilContext
	}
	if err := to.Check(); err != nil {
		return Sent{}, err
	}
	if err := p.check(); err != nil {
		return Sent{}, err
	}
	s, e := b.send(ctx, to, p)
	if e != nil {
		return Sent{}, e
	}
	return s, nil
}

func (b *Bot) send(ctx context.Context, to Target, p Part) (Sent, *Error) {
	var message struct {
		ID   int64 `json:"message_id"`
		Date int64 `json:"date"`
	}
	raw, e := b.call(ctx, sendMessage, newSendMessageArgs(to, p), &message)
	switch {
	case e != nil:
		return Sent{}, e
	case message.ID == 0:
		return Sent{}, &Error{Method: sendMessage, Code: http.StatusOK, Outcome: Uncertain, Err: errors.New("the result has no message_id")}
	}
	at := time.Unix(message.Date, 0)
	if message.Date == 0 {
		at = time.Now()
	}
	return Sent{ID: message.ID, Chat: to.Chat, Attempts: 1, At: at.UTC(), Raw: raw}, nil
}
