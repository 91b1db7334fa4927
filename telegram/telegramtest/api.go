package telegramtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxRequest is the most bytes of a request the fake reads.
const maxRequest = 50 << 20

// failure is an error as the Bot API words it.
type failure struct {
	code        int
	description string
	retryAfter  int
	migrateTo   int64
}

func (e *failure) Error() string { return fmt.Sprintf("%d %s", e.code, e.description) }

func (e *failure) write(w http.ResponseWriter) {
	body := map[string]any{"ok": false, "error_code": e.code, "description": e.description}
	switch {
	case e.retryAfter != 0:
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
		body["parameters"] = map[string]any{"retry_after": e.retryAfter}
	case e.migrateTo != 0:
		body["parameters"] = map[string]any{"migrate_to_chat_id": e.migrateTo}
	}
	writeJSON(w, e.code, body)
}

func badRequest(format string, args ...any) *failure {
	return &failure{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func forbidden(text string) *failure {
	return &failure{code: http.StatusForbidden, description: "Forbidden: " + text}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// ServeHTTP answers the Bot API under /bot<token>/ and the page at /.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, isBot := strings.CutPrefix(r.URL.Path, "/bot")
	if !isBot {
		s.servePage(w, r)
		return
	}
	token, method, _ := strings.Cut(rest, "/")
	switch {
	case !wellFormed(token):
		(&failure{code: http.StatusUnauthorized, description: "Unauthorized: invalid token specified"}).write(w)
	case token != s.Token:
		(&failure{code: http.StatusUnauthorized, description: "Unauthorized"}).write(w)
	default:
		s.call(w, r, method)
	}
}

func wellFormed(token string) bool {
	id, secret, found := strings.Cut(token, ":")
	_, err := strconv.ParseInt(id, 10, 64)
	return found && err == nil && secret != ""
}

// call runs one method of the API, or the fault that is scripted for it.
func (s *Server) call(w http.ResponseWriter, r *http.Request, method string) {
	params, err := readParams(w, r)
	if err != nil {
		badRequest("%v", err).write(w)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{Method: method, Params: params, Header: r.Header.Clone()})
	fault := s.nextFault(method, params["chat_id"])
	var result any
	var failed *failure
	if fault == nil || fault.Accept {
		result, failed = s.run(method, params)
	}
	s.touch()
	s.mu.Unlock()
	switch {
	case fault != nil:
		fault.answer(s, w, r)
	case failed != nil:
		failed.write(w)
	default:
		writeJSON(w, http.StatusOK, map[string]any{"ok": true, "result": result})
	}
}

// run is the method itself. The lock is held.
func (s *Server) run(method string, params map[string]string) (any, *failure) {
	switch strings.ToLower(method) {
	case "getme":
		return map[string]any{"id": 123456789, "is_bot": true, "first_name": "CCM (prueba)", "username": "ccm_prueba_bot",
			"can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false}, nil
	case "getchat":
		c, failed := s.reach(params["chat_id"])
		if failed != nil {
			return nil, failed
		}
		return c.object(), nil
	case "sendmessage":
		return s.sendMessage(params)
	case "editmessagetext":
		return s.editMessageText(params)
	case "deletemessage":
		return s.deleteMessage(params)
	}
	return nil, &failure{code: http.StatusNotFound, description: "Not Found: method not found"}
}

// reach is a chat the bot can write to, or why it cannot.
func (s *Server) reach(id string) (*chat, *failure) {
	if id == "" {
		return nil, badRequest("chat_id is empty")
	}
	c := s.find(id)
	if c == nil {
		return nil, badRequest("chat not found")
	}
	switch {
	case c.Migrated != 0:
		return nil, &failure{code: http.StatusBadRequest, migrateTo: c.Migrated,
			description: "Bad Request: group chat was upgraded to a supergroup chat"}
	case c.Blocked:
		return nil, forbidden("bot was blocked by the user")
	case c.Kicked:
		return nil, forbidden("bot was kicked from the " + c.Type + " chat")
	}
	return c, nil
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

// readParams takes the arguments from the query, a form, JSON or multipart.
func readParams(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	params := map[string]string{}
	media := r.Header.Get("Content-Type")
	if strings.HasPrefix(media, "application/json") {
		for name, values := range r.URL.Query() {
			params[name] = values[0]
		}
		return params, readJSONParams(r.Body, params)
	}
	if err := r.ParseMultipartForm(maxRequest); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, fmt.Errorf("can't parse the request")
	}
	for name, values := range r.Form {
		params[name] = values[0]
	}
	return params, nil
}

func readJSONParams(body io.Reader, params map[string]string) error {
	raw, err := io.ReadAll(body)
	if err != nil || !utf8.Valid(raw) {
		return fmt.Errorf("can't read the request")
	}
	var object map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &object) != nil {
		return fmt.Errorf("can't parse the JSON of the request")
	}
	for name, value := range object {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		params[name] = text
	}
	return nil
}
