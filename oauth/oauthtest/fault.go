package oauthtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Fault is one scripted misbehaviour of the token endpoint. Grant, After and
// Times choose the calls it meets; the rest says what happens. Faults are tried
// in the order of Script.
type Fault struct {
	Grant string // GrantJWT, GrantRefresh…; "": any
	After int    // lets that many matching calls pass first
	Times int    // how many calls it meets; 0: one

	// An answer that is not the true one.
	Error       string         // an error code such as invalid_grant, with Status (0: 400)
	Description string         // of Error
	Status      int            // an error of the server, without Error: backend_error
	Body        string         // Status (0: 200) with this body as it is: a proxy's HTML, half of a JSON
	Redirect    string         // Status (0: 302) with this Location
	Fields      map[string]any // the true answer with these fields put in; nil takes one out

	// No answer.
	Hang bool // never answers, until the client leaves
	Cut  bool // closes the connection once the request was read

	// How the answer arrives, be it the true one or that of above.
	Slow     time.Duration // after this long
	Truncate bool          // only its first half, then the connection closes

	// Accept does what was asked for before the fault, so that only the answer is
	// lost: a refresh token that rotated, and nobody knows. Slow, Truncate and
	// Fields alone do it too.
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

// takeFault takes the fault that meets a call, if any. The lock is held.
func (s *Server) takeFault(grant string) *Fault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times == 0 || f.Grant != "" && f.Grant != grant {
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
	return f.Error != "" || f.Status != 0 || f.Body != "" || f.Redirect != ""
}

// runs reports whether what was asked for is done.
func (f *Fault) runs() bool { return f.Accept || !f.Hang && !f.Cut && !f.replaces() }

// answer is what the client gets of a fault, where honest is the true answer.
func (f *Fault) answer(s *Server, w http.ResponseWriter, r *http.Request, honest answer) {
	if f.Slow > 0 {
		f.wait(s, r, s.After(f.Slow))
	}
	switch {
	case f.Hang:
		f.wait(s, r, nil)
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.replaces():
		honest = f.own()
	case f.Fields != nil:
		honest = honest.with(f.Fields)
	}
	if !f.Truncate {
		honest.write(w)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(honest.body)))
	honest.body = honest.body[:len(honest.body)/2]
	honest.write(w)
	_ = http.NewResponseController(w).Flush() // what was cut is cut
	panic(http.ErrAbortHandler)
}

// wait returns when the time is over; a client that leaves, or the end of the
// server, ends the call.
func (f *Fault) wait(s *Server, r *http.Request, over <-chan time.Time) {
	select {
	case <-over:
		return
	case <-r.Context().Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler)
}

// own is the answer that stands in for the true one.
func (f *Fault) own() answer {
	switch {
	case f.Redirect != "":
		return answer{status: cmp.Or(f.Status, http.StatusFound), header: http.Header{"Location": {f.Redirect}}, body: []byte(f.Body)}
	case f.Body != "":
		return answer{status: cmp.Or(f.Status, http.StatusOK), header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(f.Body)}
	}
	return refuse(cmp.Or(f.Status, http.StatusBadRequest), cmp.Or(f.Error, "backend_error"), f.Description)
}

// with puts fields into the object that an answer is.
func (a answer) with(fields map[string]any) answer {
	var all map[string]any
	if json.Unmarshal(a.body, &all) != nil {
		panic("oauthtest: an answer is no object")
	}
	for name, value := range fields {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return object(a.status, all)
}
