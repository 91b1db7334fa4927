package telegramtest

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// kept is how long Telegram keeps an update that nobody took.
const kept = 24 * time.Hour

// update waits to be taken by getUpdates or a webhook.
type update struct {
	id   int64
	kind string
	body json.RawMessage // as it was when it happened
	at   time.Time
}

// MarshalJSON writes the Update of the Bot API.
func (u update) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"update_id": u.id, u.kind: u.body})
}

// unasked are the kinds that a bot gets only if it names them in allowed_updates.
var unasked = []string{"chat_member", "message_reaction", "message_reaction_count"}

// Inject queues an update of any kind, also one that no client knows:
// Inject("poll_answer", map[string]any{…}). It returns the update_id, or 0 if
// the bot asked not to get that kind.
func (s *Server) Inject(kind string, body any) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inject(kind, body)
}

func (s *Server) inject(kind string, body any) int64 {
	wanted := !slices.Contains(unasked, kind)
	if len(s.allowed) > 0 {
		wanted = slices.Contains(s.allowed, kind)
	}
	raw, err := json.Marshal(body)
	if err != nil || !wanted {
		return 0
	}
	s.lastUpdate++
	s.updates = append(s.updates, update{id: s.lastUpdate, kind: kind, body: raw, at: s.Now()})
	s.touch()
	return s.lastUpdate
}

// allow takes over allowed_updates, if it is there; an empty list means the usual.
func (s *Server) allow(r *request) {
	var kinds []string
	if raw := r.arg("allowed_updates"); raw != "" && json.Unmarshal([]byte(raw), &kinds) == nil {
		s.allowed = kinds
	}
}

// confirm forgets updates: below offset, or for a negative one all but the last
// few. It returns those that are left, at most limit.
func (s *Server) confirm(offset, limit int) []update {
	if offset < 0 {
		s.updates = s.updates[max(len(s.updates)+offset, 0):]
	}
	s.updates = slices.DeleteFunc(s.updates, func(u update) bool {
		return u.id < int64(offset) || s.Now().Sub(u.at) > kept
	})
	return append([]update{}, s.updates[:min(limit, len(s.updates))]...)
}

// getUpdates answers at once if there is something, else it waits. One who
// waits is sent away by the next, and by a webhook.
func (s *Server) getUpdates(ctx context.Context, r *request) (any, *failure) {
	if s.hook != nil {
		return nil, conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	}
	s.allow(r)
	offset, limit := r.int("offset", 0, -1<<31, 1<<31-1), r.int("limit", 100, 1, 100)
	timeout := r.int("timeout", 0, 0, 50)
	if got := s.confirm(offset, limit); len(got) > 0 || timeout == 0 {
		return got, nil
	}
	s.abortPoll("terminated by other getUpdates request; make sure that only one bot instance is running")
	aborted := make(chan *failure, 1)
	s.poll = aborted
	expired := s.After(time.Duration(timeout) * time.Second)
	for {
		over, failed := s.idle(ctx, expired, aborted)
		if failed != nil {
			return nil, failed
		}
		if got := s.confirm(max(offset, 0), limit); len(got) > 0 || over {
			if s.poll == aborted {
				s.poll = nil
			}
			return got, nil
		}
	}
}

// idle releases the lock until something changes or the wait is over.
func (s *Server) idle(ctx context.Context, expired <-chan time.Time, aborted <-chan *failure) (over bool, failed *failure) {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case failed = <-aborted:
	case <-changed:
	case <-expired:
		over = true
	case <-ctx.Done():
		over = true
	case <-s.done:
		over = true
	}
	return over, failed
}

// abortPoll sends the one who waits away. The lock is held.
func (s *Server) abortPoll(why string) {
	if s.poll != nil {
		s.poll <- conflict(why)
		s.poll = nil
	}
}
