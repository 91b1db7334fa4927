package telegramtest

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Call is one request that reached the server, whatever was answered.
type Call struct {
	Method string            // as the client wrote it
	Params map[string]string // arguments; those that are JSON stay JSON
	Header http.Header       // empty for a method that a webhook's answer named
}

// Messages lists what the bot has in a chat, oldest first. What persons wrote
// (Receive) is not among it.
func (s *Server) Messages(chat int64) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages(chat)
}

func (s *Server) messages(chat int64) []Message {
	for _, c := range s.chats {
		if c.ID == chat {
			return c.ofTheBot()
		}
	}
	return nil
}

func (c *chat) ofTheBot() []Message {
	all := []Message{}
	for _, m := range c.messages {
		if m.From.ID == 0 {
			all = append(all, m.clone())
		}
	}
	return all
}

// clone is the caller's own, for good.
func (m Message) clone() Message {
	m.Entities = slices.Clone(m.Entities)
	m.Keyboard = slices.Clone(m.Keyboard)
	for i, row := range m.Keyboard {
		m.Keyboard[i] = slices.Clone(row)
	}
	if m.File != nil {
		f := *m.File
		f.Data = slices.Clone(f.Data)
		m.File = &f
	}
	return m
}

// Last is the newest of Messages, zero if there is none.
func (s *Server) Last(chat int64) Message {
	messages := s.Messages(chat)
	if len(messages) == 0 {
		return Message{}
	}
	return messages[len(messages)-1]
}

// Wait returns a chat's Messages once there are n, or as many as there are
// when ctx ends.
func (s *Server) Wait(ctx context.Context, chat int64, n int) []Message {
	return wait(ctx, s, n, func() []Message { return s.messages(chat) })
}

// Calls lists every request so far, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.callsOf("")
}

// callsOf is those of a method, or of all if it is "". The lock is held.
func (s *Server) callsOf(method string) []Call {
	var all []Call
	for _, c := range s.calls {
		if method == "" || strings.EqualFold(c.Method, method) {
			c.Params, c.Header = maps.Clone(c.Params), c.Header.Clone()
			all = append(all, c)
		}
	}
	return all
}

// WaitCalls returns the calls of a method once there are n, or as many as
// there are when ctx ends: for what leaves no message, such as
// answerCallbackQuery.
func (s *Server) WaitCalls(ctx context.Context, method string, n int) []Call {
	return wait(ctx, s, n, func() []Call { return s.callsOf(method) })
}

func wait[T any](ctx context.Context, s *Server, n int, list func() []T) []T {
	for {
		s.mu.Lock()
		got, changed := list(), s.changed
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got
		}
	}
}

// Reset forgets messages, calls, updates, files and scripted faults; chats, persons,
// the webhook and message numbers stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.calls, s.updates = nil, nil, nil
	clear(s.files)
	clear(s.queries)
	for _, c := range s.chats {
		c.messages = nil
	}
	s.touch()
}

// record keeps a call. The lock is held.
func (s *Server) record(c Call) {
	s.calls = append(s.calls, c)
	s.touch()
}

// touch wakes who waits for a change. The lock is held.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}
