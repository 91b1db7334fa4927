package telegramtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Chat describes a chat to the fake. Its zero switches let the bot write.
type Chat struct {
	ID       int64  // negative for groups, -100… for supergroups and channels
	Type     string // "private", "group", "supergroup" or "channel"
	Title    string // of a group or channel; the name of a person
	Username string // without @
	Topics   []int  // threads that exist; nil: the chat has no topics

	Blocked     bool  // a private chat: the user blocked the bot
	Deactivated bool  // a private chat: the account is gone
	Stranger    bool  // a private chat: the user never wrote to the bot, which may not begin
	Kicked      bool  // a group or channel: the bot was kicked
	Left        bool  // a group or channel: the bot is not a member
	NoRights    bool  // a group or channel: the bot may not write
	Migrated    int64 // a group: the supergroup it was upgraded to
}

type chat struct {
	Chat
	messages []Message
	lastID   int64
}

// rights are what a method wants of a chat; each includes those before it.
type rights int

const (
	toRead rights = iota
	toEdit
	toWrite
)

// AddChat makes a chat known, or changes the one of the same ID.
func (s *Server) AddChat(c Chat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addChat(c)
	s.touch()
}

func (s *Server) addChat(c Chat) *chat {
	c.Topics = slices.Clone(c.Topics)
	if c.Type == "private" {
		s.people[c.ID] = Person{ID: c.ID, Name: c.Title, Username: c.Username}
	}
	for _, known := range s.chats {
		if known.ID == c.ID {
			known.Chat = c
			return known
		}
	}
	s.chats = append(s.chats, &chat{Chat: c})
	return s.chats[len(s.chats)-1]
}

// find is the chat that chat_id names. The lock is held.
func (s *Server) find(id string) *chat {
	name, isName := strings.CutPrefix(id, "@")
	number, err := strconv.ParseInt(id, 10, 64)
	for _, c := range s.chats {
		if isName && c.Username != "" && strings.EqualFold(c.Username, name) || err == nil && c.ID == number {
			return c
		}
	}
	return nil
}

// access is a chat of which the bot has the rights it wants, or why not.
// Telegram's server checks in this order: an upgraded group can still be read,
// a supergroup that kicked the bot cannot.
func (s *Server) access(id string, want rights) (*chat, *failure) {
	if id == "" {
		return nil, badRequest("chat_id is empty")
	}
	c := s.find(id)
	if c == nil {
		return nil, badRequest("chat not found")
	}
	kind := c.Type + " chat"
	switch c.Type {
	case "private":
		if c.Deactivated && want >= toEdit {
			return nil, forbidden("user is deactivated")
		}
		return c, nil
	case "group":
		if c.Migrated != 0 {
			if want == toWrite {
				return nil, upgraded(c.Migrated)
			}
			return c, nil
		}
		if want == toRead {
			return c, nil
		}
	}
	public := c.Username != ""
	switch {
	case c.Kicked:
		return nil, forbidden("bot was kicked from the " + kind)
	case c.Left && (!public || want >= toEdit):
		return nil, forbidden("bot is not a member of the " + kind)
	}
	return c, nil
}

func upgraded(to int64) *failure {
	return &failure{code: http.StatusBadRequest, migrateTo: to,
		description: "Bad Request: group chat was upgraded to a supergroup chat"}
}

// thread is the topic that the arguments name; 0: none. General has no thread
// of its own: naming it is an error. A chat without topics takes any, and what is
// below 0 names none (tdlib/telegram-bot-api, Client.cpp, get_forum_topic_id).
func (c *chat) thread(r *request) (int, *failure) {
	n := r.int("message_thread_id", 0, 0, 1<<31-1)
	if n == 0 || c.Topics == nil {
		return 0, nil
	}
	if !slices.Contains(c.Topics, n) {
		return 0, badRequest("message thread not found")
	}
	return n, nil
}

// refuses says why a chat takes no message of that kind, though it can be reached.
func (c *chat) refuses(kind string) *failure {
	switch {
	case c.NoRights && c.Type == "channel":
		return badRequest("need administrator rights in the channel chat")
	case c.NoRights:
		return badRequest("not enough rights to send %s to the chat", kind)
	case c.Blocked:
		return forbidden("bot was blocked by the user")
	case c.Stranger:
		return forbidden("bot can't initiate conversation with a user")
	}
	return nil
}

// index is where the message of that id is, -1 if nowhere.
func (c *chat) index(id int64) int {
	return slices.IndexFunc(c.messages, func(m Message) bool { return m.ID == id })
}

// object is the Chat of the Bot API.
func (c *chat) object() map[string]any {
	o := map[string]any{"id": c.ID, "type": c.Type}
	if c.Type == "private" {
		o["first_name"] = c.Title
	} else {
		o["title"] = c.Title
	}
	if c.Username != "" {
		o["username"] = c.Username
	}
	if c.Topics != nil {
		o["is_forum"] = true
	}
	return o
}
