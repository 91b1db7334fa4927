package telegramtest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one scripted misbehaviour. Method, Chat, After and Times choose the
// calls it meets; the rest says what happens. Faults are tried in the order of
// Script.
type Fault struct {
	Method string // "": any
	Chat   string // chat_id as the client wrote it; "": any
	After  int    // lets that many matching calls pass first
	Times  int    // how many calls it meets; 0: one

	// An answer that is not the true one.
	Status      int    // answers this error_code, with Description
	Description string // "": the usual text of Status
	RetryAfter  int    // seconds, with Status 0 or 429, in the body and the header
	MigrateTo   int64  // with Status 0 or 400: the supergroup the chat became
	Body        string // answers Status (0: 200) with this body as it is: a proxy's HTML, half of a JSON
	Redirect    string // answers Status (0: 302) with this Location

	// No answer.
	Hang   bool // never answers, until the client leaves
	Cut    bool // closes the connection once the request was read
	Unread bool // with Cut: before its body is read; Chat does not count then

	// How the answer arrives, be it the true one or that of above.
	Truncate bool          // only its first half, then the connection closes
	Slow     time.Duration // byte by byte, with this pause before each

	// Accept does what was asked for before the fault, so that only the answer is
	// lost. Truncate and Slow alone do it too.
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

// nextFault takes the fault that meets a call whose body was read, if any. The
// lock is held.
func (s *Server) nextFault(method string, chat string) *Fault {
	return s.takeFault(func(f *Fault) bool {
		return !f.Unread && (f.Method == "" || strings.EqualFold(f.Method, method)) && (f.Chat == "" || f.Chat == chat)
	})
}

// cutsUnread takes the fault that meets a call before its body is read.
func (s *Server) cutsUnread(method string, header http.Header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.takeFault(func(f *Fault) bool {
		return f.Unread && (f.Method == "" || strings.EqualFold(f.Method, method))
	})
	if f != nil {
		s.record(Call{Method: method, Params: map[string]string{}, Header: header.Clone()})
	}
	return f != nil
}

func (s *Server) takeFault(meets func(*Fault) bool) *Fault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times == 0 || !meets(f) {
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

// replaces reports whether the answer is the fault's own.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.RetryAfter != 0 || f.MigrateTo != 0 || f.Body != "" || f.Redirect != ""
}

// runs reports whether the method is run.
func (f *Fault) runs() bool {
	return f.Accept || !f.Hang && !f.Cut && !f.replaces()
}

// answer is what the client gets of a fault, where honest is the true answer.
func (f *Fault) answer(s *Server, w http.ResponseWriter, r *http.Request, honest answer) {
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.replaces():
		honest = f.own()
	}
	if !f.Truncate && f.Slow == 0 {
		honest.write(w)
		return
	}
	f.trickle(s, w, r, honest)
}

// own is the answer that stands in for the true one.
func (f *Fault) own() answer {
	switch {
	case f.Redirect != "":
		return answer{status: cmp.Or(f.Status, http.StatusFound), header: http.Header{"Location": {f.Redirect}}, body: []byte(f.Body)}
	case f.Body != "":
		return answer{status: cmp.Or(f.Status, http.StatusOK), header: http.Header{"Content-Type": {"text/html"}}, body: []byte(f.Body)}
	}
	e := &failure{code: f.Status, migrateTo: f.MigrateTo, retryAfter: f.RetryAfter}
	switch {
	case f.MigrateTo != 0:
		e.code = cmp.Or(e.code, http.StatusBadRequest)
		e.description = upgraded(f.MigrateTo).description
	case f.RetryAfter != 0, f.Status == http.StatusTooManyRequests:
		e.code = cmp.Or(e.code, http.StatusTooManyRequests)
		e.description = tooMany(f.RetryAfter).description
	default:
		e.description = http.StatusText(f.Status)
	}
	e.description = cmp.Or(f.Description, e.description)
	return e.answer()
}

// trickle writes an answer that promises its whole length, byte by byte.
func (f *Fault) trickle(s *Server, w http.ResponseWriter, r *http.Request, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	body, flush := a.body, http.NewResponseController(w).Flush
	if f.Truncate {
		body = body[:len(body)/2]
	}
	for i := range body {
		if f.Slow > 0 {
			select {
			case <-s.After(f.Slow):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			case <-s.done:
				panic(http.ErrAbortHandler)
			}
		}
		_, _ = w.Write(body[i : i+1])
		if f.Slow > 0 {
			_ = flush()
		}
	}
	if f.Truncate {
		_ = flush()
		panic(http.ErrAbortHandler)
	}
}
