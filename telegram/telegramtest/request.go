package telegramtest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxRequest = 55 << 20 // bytes of a request, with what is around a file
	maxField   = 1 << 20  // bytes of an argument that is no file
)

// request is one call with its arguments, however they came.
type request struct {
	method string
	params map[string]string // those that are JSON stay JSON
	files  map[string]*File  // uploads by the name of their field
}

func (r *request) arg(name string) string { return r.params[name] }

func (r *request) flag(name string) bool {
	switch strings.ToLower(strings.TrimSpace(r.params[name])) {
	case "true", "yes", "1":
		return true
	}
	return false
}

// int is a number within limits; what is no number is 0, as with the server.
func (r *request) int(name string, usual, least, most int) int {
	n := usual
	if text := r.params[name]; text != "" {
		n, _ = strconv.Atoi(text)
	}
	return min(max(n, least), most)
}

// id is a message's id; 0: none.
func (r *request) id(name string) int64 {
	n, _ := strconv.ParseInt(r.params[name], 10, 32)
	return max(n, 0)
}

// readRequest takes the arguments from the query, a form, JSON or multipart.
func readRequest(w http.ResponseWriter, r *http.Request, method string) (*request, *failure) {
	req := &request{method: method, params: map[string]string{}, files: map[string]*File{}}
	for name, values := range r.URL.Query() {
		req.params[name] = values[0]
	}
	err := req.read(http.MaxBytesReader(w, r.Body, maxRequest), r.Header.Get("Content-Type"))
	if req.method == "" {
		req.method = req.arg("method")
	}
	var tooLarge *http.MaxBytesError
	var failed *failure
	switch {
	case errors.As(err, &tooLarge):
		return nil, &failure{code: http.StatusRequestEntityTooLarge, description: "Request Entity Too Large"}
	case errors.As(err, &failed):
		return nil, failed
	case err != nil:
		return nil, badRequest("can't read the request")
	}
	return req, nil
}

func (e *failure) Error() string { return e.description }

func (r *request) read(body io.Reader, contentType string) error {
	media, options, _ := mime.ParseMediaType(contentType)
	switch media {
	case "multipart/form-data":
		return r.readMultipart(multipart.NewReader(body, options["boundary"]))
	case "application/json":
		raw, err := io.ReadAll(body)
		if err != nil || len(raw) == 0 {
			return err
		}
		return r.readJSON(raw)
	case "application/x-www-form-urlencoded":
		raw, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return r.readForm(string(raw))
	}
	_, err := io.Copy(io.Discard, body)
	return err
}

func (r *request) readForm(raw string) error {
	form := (&http.Request{Method: http.MethodPost, Body: io.NopCloser(strings.NewReader(raw)),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	if err := form.ParseForm(); err != nil {
		return badRequest("can't parse the form")
	}
	for name, values := range form.PostForm {
		r.params[name] = values[0]
	}
	return nil
}

func (r *request) readJSON(raw []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return badRequest("JSON object expected")
	}
	for name, value := range object {
		if string(value) != "null" {
			r.params[name] = plain(value)
		}
	}
	return nil
}

func (r *request) readMultipart(parts *multipart.Reader) error {
	for count := 0; ; count++ {
		part, err := parts.NextRawPart()
		if err == io.EOF || count == 0 && errors.Is(err, io.EOF) { //nolint:errorlint // wrapped, it is a cut, but for an empty body
			return nil
		}
		if err != nil {
			return err
		}
		name := part.FormName()
		if part.FileName() != "" {
			if r.files[name], err = readFile(part); err != nil {
				return err
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			return err
		}
		r.params[name] = string(text)
	}
}
