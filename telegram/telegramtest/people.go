package telegramtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Receive is a person's message to the bot: an update, and a message in the
// chat. A chat that is not known yet becomes known, as it does when a person
// starts a bot; one that was a stranger's or blocked is so no more. Commands,
// mentions, hashtags and http addresses in the text become entities.
func (s *Server) Receive(chat int64, from Person, text string) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[from.ID] = from
	c := s.find(strconv.FormatInt(chat, 10))
	if c == nil {
		c = s.addChat(guess(chat, from))
	}
	c.Stranger, c.Blocked = false, false
	m := s.store(c, Message{From: from, Text: text, Entities: findEntities(text)})
	kind := "message"
	if c.Type == "channel" {
		kind = "channel_post"
	}
	s.inject(kind, s.object(c, m))
	return m
}

// guess is a chat of which only the id is known.
func guess(id int64, from Person) Chat {
	switch {
	case id > 0:
		return Chat{ID: id, Type: "private", Title: from.Name, Username: from.Username}
	case strings.HasPrefix(strconv.FormatInt(id, 10), "-100"):
		return Chat{ID: id, Type: "supergroup", Title: "Grupo"}
	}
	return Chat{ID: id, Type: "group", Title: "Grupo"}
}

// found are what the server finds in a text by itself, simplified.
var found = []struct {
	kind string
	form *regexp.Regexp
}{
	{"url", regexp.MustCompile(`(?i)https?://[^\s<>"]*[^\s<>".,;:!?)]`)},
	{"bot_command", regexp.MustCompile(`(?:^|[\s])(/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)\b`)},
	{"mention", regexp.MustCompile(`(?:^|[\s(])(@[A-Za-z][A-Za-z0-9_]{2,31})\b`)},
	{"hashtag", regexp.MustCompile(`(?:^|[\s(])(#[\pL\d_]*\pL[\pL\d_]*)`)},
}

func findEntities(text string) []Entity {
	var entities []Entity
	for _, f := range found {
		for _, at := range f.form.FindAllStringSubmatchIndex(text, -1) {
			begin, end := at[len(at)-2], at[len(at)-1]
			entities = append(entities, Entity{Type: f.kind, Offset: utf16Count(text[:begin]), Length: utf16Count(text[begin:end])})
		}
	}
	sortEntities(entities)
	return withoutOverlaps(entities)
}

// Press presses a button of an inline keyboard, named by its text, as a person
// does: an update with a callback_query. It returns the query's id, which
// answerCallbackQuery must name, or an error if there is no such button.
func (s *Server) Press(chat, message int64, from Person, button string) (query string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(strconv.FormatInt(chat, 10))
	if c == nil {
		return "", fmt.Errorf("telegramtest: no chat %d", chat)
	}
	i := c.index(message)
	if i < 0 {
		return "", fmt.Errorf("telegramtest: no message %d in chat %d", message, chat)
	}
	row := slices.Concat(c.messages[i].Keyboard...)
	at := slices.IndexFunc(row, func(b Button) bool { return b.Text == button })
	if at < 0 || row[at].Data == "" {
		return "", fmt.Errorf("telegramtest: message %d has no button %q with callback_data", message, button)
	}
	s.people[from.ID] = from
	s.lastQuery++
	query = strconv.FormatInt(s.lastQuery, 10)
	s.queries[query] = true
	s.inject("callback_query", map[string]any{
		"id": query, "from": from.object(), "message": s.object(c, c.messages[i]),
		"chat_instance": strconv.FormatInt(chat, 10), "data": row[at].Data,
	})
	return query, nil
}

func (s *Server) answerCallbackQuery(r *request) (any, *failure) {
	id := r.arg("callback_query_id")
	if !s.queries[id] {
		return nil, badRequest("query is too old and response timeout expired or query ID is invalid")
	}
	if len([]rune(r.arg("text"))) > 200 {
		return nil, badRequest("MESSAGE_TOO_LONG")
	}
	delete(s.queries, id)
	return true, nil
}
