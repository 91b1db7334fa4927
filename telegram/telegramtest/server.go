package telegramtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// defaultToken has the form that BotFather gives; it is nobody's.
const defaultToken = "123456789:AAFakeTokenForTestsOnly_0123456789abc"

// Server is a fake Bot API server. It is safe for concurrent use.
type Server struct {
	// URL is the base URL for a client; "" for a Server of New.
	URL string
	// Token is the one token it accepts.
	Token string
	// Now is the clock of dates and rates. Set it before the first request.
	Now func() time.Time
	// Strict counts the 4096 of a message in UTF-16 units, as clients should
	// split, not in code points, as the server does.
	Strict bool

	mu      sync.Mutex
	chats   []*chat
	faults  []Fault
	calls   []Call
	limits  *limits
	changed chan struct{} // closed at each change
	done    chan struct{} // closed at the end: hung calls return
}

// Chat describes a chat to the fake. The zero Blocked, Kicked and NoRights let
// the bot write.
type Chat struct {
	ID       int64  // negative for groups, -100… for supergroups and channels
	Type     string // "private", "group", "supergroup" or "channel"
	Title    string // of a group or channel; the name of a person
	Username string // without @
	Topics   []int  // threads that exist; nil: the chat has no topics
	Blocked  bool   // a private chat: the user blocked the bot
	Kicked   bool   // a group: the bot was kicked
	NoRights bool   // a group: the bot may not write
	Migrated int64  // a group: the supergroup it was upgraded to
}

// Message is one message the fake accepted.
type Message struct {
	ID        int64
	Chat      int64
	Thread    int
	Date      time.Time
	Text      string // without markup
	HTML      string // as it was sent, "" without parse_mode=HTML
	Entities  []Entity
	Silent    bool // disable_notification
	Protected bool // protect_content
	Edited    bool
}

// Call is one request that reached the server, whatever was answered.
type Call struct {
	Method string            // as the client wrote it
	Params map[string]string // arguments; those that are JSON stay JSON
	Header http.Header
}

type chat struct {
	Chat
	messages []Message
	lastID   int64
}

// New makes a server that listens nowhere: it is an http.Handler.
func New() *Server {
	return &Server{
		Token: defaultToken, Now: time.Now,
		changed: make(chan struct{}), done: make(chan struct{}),
	}
}

// NewServer starts a server on a loopback port that ends with the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s := New()
	listening := httptest.NewServer(s)
	s.URL = listening.URL
	tb.Cleanup(func() {
		close(s.done)
		listening.CloseClientConnections()
		listening.Close()
	})
	return s
}

// AddChat makes a chat known, or changes the one of the same ID.
func (s *Server) AddChat(c Chat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.chats {
		if known.ID == c.ID {
			known.Chat = c
			return
		}
	}
	s.chats = append(s.chats, &chat{Chat: c})
}

// Messages lists what a chat got, oldest first.
func (s *Server) Messages(chat int64) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.chats {
		if c.ID == chat {
			return slices.Clone(c.messages)
		}
	}
	return nil
}

// Wait returns a chat's messages once there are n, or as many as there are
// when ctx ends.
func (s *Server) Wait(ctx context.Context, chat int64, n int) []Message {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if messages := s.Messages(chat); len(messages) >= n {
			return messages
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s.Messages(chat)
		}
	}
}

// Calls lists every request so far, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Reset forgets messages, calls and scripted faults; chats stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.calls = nil, nil
	for _, c := range s.chats {
		c.messages = nil
	}
	s.touch()
}

// touch wakes who waits for a change. The lock is held.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
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
