package telegramtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Fault is one scripted misbehaviour. Method, Chat and After choose the calls
// it meets; the rest says what happens. Faults are tried in the order of Script.
type Fault struct {
	Method string // "": any
	Chat   string // chat_id as the client wrote it; "": any
	After  int    // lets that many matching calls pass first
	Times  int    // how many calls it meets; 0: one

	Status      int    // answers this error_code, with Description
	Description string // "": the usual text of Status
	RetryAfter  int    // seconds, with Status 429, in the body and the header
	MigrateTo   int64  // with Status 400: the supergroup the chat became
	Body        string // answers Status (0: 200) with this body as it is: a proxy's HTML, half of a JSON
	Hang        bool   // never answers, until the client leaves
	Cut         bool   // closes the connection once the request was read

	// Accept delivers the message before the fault, so that only the answer is lost.
	Accept bool
}

// Script queues faults.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		s.faults = append(s.faults, f)
	}
}

// nextFault takes the fault that meets a call, if any. The lock is held.
func (s *Server) nextFault(method string, chat string) *Fault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times == 0 || f.Method != "" && !strings.EqualFold(f.Method, method) || f.Chat != "" && f.Chat != chat {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		f.Times--
		met := *f
		return &met
	}
	return nil
}

// answer is what the client gets of a fault.
func (f *Fault) answer(s *Server, w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Body != "":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(f.Body))
	default:
		f.failure().write(w)
	}
}

func (f *Fault) failure() *failure {
	e := &failure{code: f.Status, description: f.Description, migrateTo: f.MigrateTo, retryAfter: f.RetryAfter}
	if f.MigrateTo != 0 && e.code == 0 {
		e.code = http.StatusBadRequest
	}
	if f.RetryAfter != 0 && e.code == 0 {
		e.code = http.StatusTooManyRequests
	}
	if e.description == "" {
		e.description = e.usual()
	}
	return e
}

func (e *failure) usual() string {
	switch {
	case e.migrateTo != 0:
		return "Bad Request: group chat was upgraded to a supergroup chat"
	case e.code == http.StatusTooManyRequests:
		return fmt.Sprintf("Too Many Requests: retry after %d", e.retryAfter)
	}
	return http.StatusText(e.code)
}
