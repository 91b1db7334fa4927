package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// failure is an error as the Bot API words it.
type failure struct {
	code        int
	description string
	retryAfter  int
	migrateTo   int64
}

func badRequest(format string, args ...any) *failure {
	return &failure{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func forbidden(text string) *failure {
	return &failure{code: http.StatusForbidden, description: "Forbidden: " + text}
}

func conflict(text string) *failure {
	return &failure{code: http.StatusConflict, description: "Conflict: " + text}
}

func tooMany(seconds int) *failure {
	return &failure{code: http.StatusTooManyRequests, retryAfter: seconds,
		description: fmt.Sprintf("Too Many Requests: retry after %d", seconds)}
}

var errNotFound = &failure{code: http.StatusNotFound, description: "Not Found"}

// answer is one HTTP answer, before it is written.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// described is a result with a remark, as setWebhook has.
type described struct {
	result      any
	description string
}

func (e *failure) answer() answer {
	body := map[string]any{"ok": false, "error_code": e.code, "description": e.description}
	a := answer{status: e.code, header: http.Header{}}
	switch {
	case e.retryAfter != 0:
		a.header.Set("Retry-After", strconv.Itoa(e.retryAfter))
		body["parameters"] = map[string]any{"retry_after": e.retryAfter}
	case e.migrateTo != 0:
		body["parameters"] = map[string]any{"migrate_to_chat_id": e.migrateTo}
	}
	return a.json(body)
}

func success(result any) answer {
	body := map[string]any{"ok": true, "result": result}
	if d, ok := result.(described); ok {
		body["result"], body["description"] = d.result, d.description
	}
	return answer{status: http.StatusOK, header: http.Header{}}.json(body)
}

func (a answer) json(v any) answer {
	a.header.Set("Content-Type", "application/json")
	a.body, _ = json.Marshal(v) // only maps and our own types
	return a
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// ServeHTTP answers the Bot API under /bot<token>/, downloads under
// /file/bot<token>/, and the page at /.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, isFile := strings.CutPrefix(r.URL.Path, "/file")
	rest, isBot := strings.CutPrefix(path, "/bot")
	if !isBot {
		s.servePage(w, r)
		return
	}
	token, method, found := strings.Cut(rest, "/")
	switch {
	case !found:
		errNotFound.answer().write(w)
	case !wellFormed(token):
		(&failure{code: http.StatusUnauthorized, description: "Unauthorized: invalid token specified"}).answer().write(w)
	case token != s.Token:
		(&failure{code: http.StatusUnauthorized, description: "Unauthorized"}).answer().write(w)
	case isFile:
		s.download(w, method)
	default:
		s.serveMethod(w, r, method)
	}
}

func wellFormed(token string) bool {
	id, secret, found := strings.Cut(token, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	return found && err == nil && n > 0 && !strings.HasPrefix(id, "0") && secret != "" && len(token) <= 80
}

// serveMethod runs one method of the API, or the fault that is scripted for it.
func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request, method string) {
	if s.cutsUnread(method, r.Header) {
		panic(http.ErrAbortHandler)
	}
	req, failed := readRequest(w, r, method)
	if failed != nil {
		failed.answer().write(w)
		return
	}
	s.mu.Lock()
	fault := s.nextFault(req.method, req.arg("chat_id"))
	s.record(Call{Method: req.method, Params: req.params, Header: r.Header.Clone()})
	var honest answer
	if fault == nil || fault.runs() {
		honest = s.run(r.Context(), req)
	}
	s.mu.Unlock()
	if fault != nil {
		fault.answer(s, w, r, honest)
		return
	}
	honest.write(w)
}
