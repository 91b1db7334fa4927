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
	return cloned(s.messages(chat), Message.clone)
}

func (s *Server) messages(chat int64) []Message {
	for _, c := range s.chats {
		if c.ID == chat {
			return slices.DeleteFunc(slices.Clone(c.messages), func(m Message) bool { return m.From.ID != 0 })
		}
	}
	return nil
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
	return cloned(wait(ctx, s, n, func() []Message { return s.messages(chat) }), Message.clone)
}

// Calls lists every request so far, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cloned(slices.Clone(s.calls), Call.clone)
}

// WaitCalls returns the calls of a method once there are n, or as many as
// there are when ctx ends: for what leaves no message, such as
// answerCallbackQuery.
func (s *Server) WaitCalls(ctx context.Context, method string, n int) []Call {
	return cloned(wait(ctx, s, n, func() []Call {
		return slices.DeleteFunc(slices.Clone(s.calls), func(c Call) bool { return !strings.EqualFold(c.Method, method) })
	}), Call.clone)
}

// cloned makes all the caller's own, so that nothing done to it is done to the
// server. What is in a message or a call that was kept does not change any more.
func cloned[T any](all []T, clone func(T) T) []T {
	for i := range all {
		all[i] = clone(all[i])
	}
	return all
}

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

func (c Call) clone() Call {
	c.Params, c.Header = maps.Clone(c.Params), c.Header.Clone()
	return c
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
