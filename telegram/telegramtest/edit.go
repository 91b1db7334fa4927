package telegramtest

import (
	"encoding/json"
	"slices"
	"time"
)

// deletable is how long after it was sent a message can be deleted.
const deletable = 48 * time.Hour

func (s *Server) editMessageText(r *request) (any, *failure) {
	m, failed := r.text()
	if failed != nil {
		return nil, failed
	}
	return s.edit(r, func(old *Message) *failure {
		if old.File != nil {
			return badRequest("there is no text in the message to edit")
		}
		old.Text, old.HTML, old.Entities, old.NoPreview = m.Text, m.HTML, m.Entities, m.NoPreview
		return nil
	})
}

func (s *Server) editMessageCaption(r *request) (any, *failure) {
	m, failed := r.caption()
	if failed != nil {
		return nil, failed
	}
	return s.edit(r, func(old *Message) *failure {
		if old.File == nil {
			return badRequest("there is no caption in the message to edit")
		}
		old.Text, old.HTML, old.Entities = m.Text, m.HTML, m.Entities
		return nil
	})
}

func (s *Server) editMessageReplyMarkup(r *request) (any, *failure) {
	return s.edit(r, func(*Message) *failure { return nil })
}

// edit lets change do its work on the message that the arguments name. The
// keyboard is replaced in any case: one that is not sent again goes away.
func (s *Server) edit(r *request, change func(*Message) *failure) (any, *failure) {
	raw, failed := parseMarkup(r.arg("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	id := r.id("message_id")
	if r.arg("chat_id") == "" && id == 0 {
		return nil, badRequest("message identifier is not specified")
	}
	c, failed := s.access(r.arg("chat_id"), toEdit)
	if failed != nil {
		return nil, failed
	}
	i := c.index(id)
	if i < 0 {
		return nil, badRequest("message to edit not found")
	}
	m := c.messages[i]
	if m.From.ID != 0 {
		return nil, badRequest("message can't be edited")
	}
	if failed := change(&m); failed != nil {
		return nil, failed
	}
	if raw.other {
		return nil, badRequest("inline keyboard expected")
	}
	if m.Keyboard, failed = raw.check(); failed != nil {
		return nil, failed
	}
	if failed := s.finish(&m); failed != nil {
		return nil, failed
	}
	if sameContent(m, c.messages[i]) {
		return nil, badRequest("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	m.Edited, m.edited = true, s.Now()
	c.messages[i] = m
	return s.object(c, m), nil
}

func (s *Server) deleteMessage(r *request) (any, *failure) {
	if r.arg("chat_id") == "" {
		return nil, badRequest("chat identifier is not specified")
	}
	id := r.id("message_id")
	if id == 0 {
		return nil, badRequest("message identifier is not specified")
	}
	c, failed := s.access(r.arg("chat_id"), toWrite)
	if failed != nil {
		return nil, failed
	}
	if c.index(id) < 0 {
		return nil, badRequest("message to delete not found")
	}
	return s.remove(c, []int64{id})
}

func (s *Server) deleteMessages(r *request) (any, *failure) {
	var ids []int64
	if json.Unmarshal([]byte(r.arg("message_ids")), &ids) != nil || len(ids) == 0 {
		return nil, badRequest("message identifiers are not specified")
	}
	if len(ids) > 100 {
		return nil, badRequest("too many message identifiers specified")
	}
	c, failed := s.access(r.arg("chat_id"), toWrite)
	if failed != nil {
		return nil, failed
	}
	return s.remove(c, ids)
}

// remove deletes all of the messages that are there, or none.
func (s *Server) remove(c *chat, ids []int64) (any, *failure) {
	for _, id := range ids {
		i := c.index(id)
		switch {
		case i < 0:
		case c.messages[i].From.ID != 0 && c.Type != "private": // the bot is no administrator
			return nil, badRequest("message can't be deleted")
		case s.Now().Sub(c.messages[i].Date) > deletable:
			return nil, badRequest("message can't be deleted for everyone")
		}
	}
	c.messages = slices.DeleteFunc(c.messages, func(m Message) bool { return slices.Contains(ids, m.ID) })
	return true, nil
}
