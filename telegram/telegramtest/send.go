package telegramtest

func (s *Server) sendMessage(r *request) (any, *failure) {
	m, failed := r.text()
	if failed != nil {
		return nil, failed
	}
	return s.send(r, m)
}

// text is the new message of a text's arguments.
func (r *request) text() (Message, *failure) {
	off, failed := r.preview()
	if failed != nil {
		return Message{}, failed
	}
	if r.arg("text") == "" {
		return Message{}, badRequest("message text is empty")
	}
	m, failed := r.formatted(r.arg("text"), r.arg("parse_mode"), r.arg("entities"))
	m.NoPreview = off
	return m, failed
}

// caption is like text, for a file; it may be empty.
func (r *request) caption() (Message, *failure) {
	return r.formatted(r.arg("caption"), r.arg("parse_mode"), r.arg("caption_entities"))
}

// send does what is the same for a message of every kind, in the server's order:
// what is wrong with the arguments comes before what is wrong with the chat, and
// only then is the text measured.
func (s *Server) send(r *request, m Message) (any, *failure) {
	reply, optional, failed := r.replyTo()
	if failed != nil {
		return nil, failed
	}
	raw, failed := parseMarkup(r.arg("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	c, failed := s.access(r.arg("chat_id"), toWrite)
	if failed != nil {
		return nil, failed
	}
	if m.Thread, failed = c.thread(r); failed != nil {
		return nil, failed
	}
	if reply != 0 && c.index(reply) < 0 {
		if reply = 0; !optional {
			return nil, badRequest("message to be replied not found")
		}
	}
	if m.Keyboard, failed = raw.check(); failed != nil {
		return nil, failed
	}
	if failed := s.finish(&m); failed != nil {
		return nil, failed
	}
	if failed := c.refuses(m.kind()); failed != nil {
		return nil, failed
	}
	if failed := s.limit(c); failed != nil {
		return nil, failed
	}
	m.ReplyTo, m.Silent, m.Protected = reply, r.flag("disable_notification"), r.flag("protect_content")
	return s.object(c, s.store(c, m)), nil
}

// kind is what error texts call the message.
func (m Message) kind() string {
	if m.File == nil {
		return "text messages"
	}
	return m.File.Kind + "s"
}

// store gives a message its number and place.
func (s *Server) store(c *chat, m Message) Message {
	c.lastID++
	m.ID, m.Chat, m.Date = c.lastID, c.ID, s.Now()
	c.messages = append(c.messages, m)
	return m
}
