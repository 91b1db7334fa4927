package telegramtest

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a message: https://core.telegram.org/bots/api#sendmessage and the
// server's source (MAX_MESSAGE_LENGTH; requests cut at 1 << 15 bytes of text).
const (
	maxRawText = 32768 // bytes before parsing
	maxMessage = 4096  // code points after parsing
	maxCaption = 1024  // code points after parsing
)

// formatted reads a text with its parse_mode or its entities. It is what is
// checked first of a message, before the chat is looked for.
func (r *request) formatted(raw, mode, given string) (m Message, failed *failure) {
	if len(raw) > maxRawText {
		return m, badRequest("text is too long")
	}
	m.Text = raw
	mode = strings.ToLower(mode)
	if raw == "" || mode == "" || mode == "none" {
		m.Entities, failed = readEntities(given)
		return m, failed
	}
	parse := map[string]func(string) (string, []Entity, error){"html": ParseHTML, "markdown": parseMarkdown, "markdownv2": parseMarkdownV2}[mode]
	if parse == nil {
		return m, badRequest("unsupported parse_mode")
	}
	if !utf8.ValidString(raw) {
		return m, badRequest("text must be encoded in UTF-8")
	}
	text, entities, err := parse(raw)
	if err != nil {
		return m, badRequest("can't parse entities: %v", err)
	}
	if mode == "html" {
		m.HTML = raw
	}
	m.Text, m.Entities = text, entities
	return m, nil
}

// readEntities takes the entities that a client made by itself. Those that the
// server finds in a text (mentions, commands, addresses) are passed over.
func readEntities(raw string) ([]Entity, *failure) {
	if raw == "" {
		return nil, nil
	}
	var given []struct {
		Entity
		Mentioned struct {
			ID int64 `json:"id"`
		} `json:"user"`
	}
	if json.Unmarshal([]byte(raw), &given) != nil {
		return nil, nil // no array: ignored
	}
	var entities []Entity
	for _, g := range given {
		e := g.Entity
		switch e.Type {
		case "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number":
			continue
		case "text_mention":
			e.User = g.Mentioned.ID
		case "text_link":
			link, err := checkLink(e.URL)
			if err != nil {
				return nil, badRequest("entity %v", err)
			}
			e.URL = link
		}
		if _, known := priorities[e.Type]; !known {
			return nil, badRequest("can't parse MessageEntity: Unsupported type specified")
		}
		entities = append(entities, e)
	}
	return entities, nil
}

// finish tidies a message's text and checks its length.
func (s *Server) finish(m *Message) *failure {
	if !utf8.ValidString(m.Text) {
		return badRequest("strings must be encoded in UTF-8")
	}
	for i, e := range m.Entities {
		if e.end() > utf16Count(m.Text) || e.Offset < 0 {
			return badRequest("entity beginning at UTF-16 offset %d ends after the end of the text at UTF-16 offset %d", e.Offset, e.end())
		}
		if !s.points(e) {
			m.Entities[i].Length = 0
		}
	}
	m.Text, m.Entities = tidy(m.Text, m.Entities)
	switch {
	case m.File == nil && m.Text == "":
		return badRequest("text must be non-empty")
	case m.File == nil && s.count(m.Text) > maxMessage:
		return badRequest("message is too long")
	case m.File != nil && s.count(m.Text) > maxCaption:
		return badRequest("message caption is too long")
	}
	return nil
}

// points reports whether what e points to is there, if it points to anything.
func (s *Server) points(e Entity) bool {
	if e.Type != "text_mention" {
		return true
	}
	_, known := s.people[e.User]
	return known
}

func (s *Server) count(text string) int {
	if !s.Strict {
		return utf8.RuneCountInString(text)
	}
	return utf16Count(text)
}

// preview reads whether link previews are off.
func (r *request) preview() (off bool, failed *failure) {
	raw := r.arg("link_preview_options")
	if raw == "" {
		return r.flag("disable_web_page_preview"), nil
	}
	var options any
	if json.Unmarshal([]byte(raw), &options) != nil {
		return false, badRequest("can't parse link preview options JSON object")
	}
	object, ok := options.(map[string]any)
	if !ok {
		return false, badRequest("object expected as link preview options")
	}
	off, _ = object["is_disabled"].(bool)
	return off, nil
}

// replyTo reads which message is answered, and whether it may be missing.
func (r *request) replyTo() (id int64, optional bool, failed *failure) {
	raw := r.arg("reply_parameters")
	if raw == "" {
		return r.id("reply_to_message_id"), r.flag("allow_sending_without_reply"), nil
	}
	var p struct {
		ID       int64 `json:"message_id"`
		Optional bool  `json:"allow_sending_without_reply"`
	}
	if json.Unmarshal([]byte(raw), &p) != nil {
		return 0, false, badRequest("can't parse reply parameters JSON object")
	}
	return p.ID, p.Optional, nil
}

func sameContent(a, b Message) bool {
	return a.Text == b.Text && slices.Equal(a.Entities, b.Entities) && slices.EqualFunc(a.Keyboard, b.Keyboard, slices.Equal[[]Button]) && a.NoPreview == b.NoPreview
}
