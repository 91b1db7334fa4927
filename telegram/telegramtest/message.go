package telegramtest

import "time"

// Message is one message the fake accepted.
type Message struct {
	ID        int64
	Chat      int64
	From      Person // zero: the bot
	Thread    int
	ReplyTo   int64
	Date      time.Time
	Text      string // without markup; a file's caption
	HTML      string // as it was sent, "" without parse_mode=HTML
	Entities  []Entity
	Keyboard  [][]Button // the inline keyboard
	File      *File      // nil: a text
	Silent    bool       // disable_notification
	Protected bool       // protect_content
	NoPreview bool       // link_preview_options: is_disabled
	Edited    bool

	edited time.Time
}

// object is the Message of the Bot API. The lock is held.
func (s *Server) object(c *chat, m Message) map[string]any {
	o := map[string]any{"message_id": m.ID, "date": m.Date.Unix(), "chat": c.object()}
	switch {
	case c.Type == "channel":
		o["sender_chat"] = c.object()
	case m.From.ID != 0:
		o["from"] = m.From.object()
	default:
		o["from"] = s.bot()
	}
	text, entities := "text", "entities"
	if m.File != nil {
		text, entities = "caption", "caption_entities"
		o[m.File.Kind] = m.File.object()
	}
	if m.Text != "" {
		o[text] = m.Text
	}
	if len(m.Entities) > 0 {
		o[entities] = s.entityObjects(m.Entities)
	}
	if len(m.Keyboard) > 0 {
		o["reply_markup"] = map[string]any{"inline_keyboard": m.Keyboard}
	}
	if m.NoPreview {
		o["link_preview_options"] = map[string]any{"is_disabled": true}
	}
	if m.Thread != 0 {
		o["message_thread_id"], o["is_topic_message"] = m.Thread, true
	}
	if m.Protected {
		o["has_protected_content"] = true
	}
	if m.Edited {
		o["edit_date"] = m.edited.Unix()
	}
	if i := c.index(m.ReplyTo); i >= 0 {
		original := c.messages[i]
		original.ReplyTo = 0 // the API nests one level
		o["reply_to_message"] = s.object(c, original)
	}
	return o
}

// entityObjects puts the person into each mention.
func (s *Server) entityObjects(entities []Entity) []any {
	out := make([]any, len(entities))
	for i, e := range entities {
		if out[i] = e; e.Type == "text_mention" {
			out[i] = map[string]any{"type": e.Type, "offset": e.Offset, "length": e.Length, "user": s.people[e.User].object()}
		}
	}
	return out
}
