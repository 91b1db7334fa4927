package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxBody     = 1 << 20          // bytes
	bodyTimeout = 15 * time.Second // to read all of it
)

var (
	errLargeBody = newProblem(http.StatusRequestEntityTooLarge, "El cuerpo pasa de 1 MiB.")
	errSlowBody  = newProblem(http.StatusRequestTimeout, fmt.Sprintf("El cuerpo no llegó completo en %d segundos.", int(bodyTimeout.Seconds())))
	errNotJSON   = newProblem(http.StatusUnsupportedMediaType, "El cuerpo debe ser JSON: envíe Content-Type: application/json.")
)

// readBody reads the fields of a POST from its JSON body, and refuses any
// query parameter: a dry_run there would be lost, and the message sent.
//
// Other fields are passed over, as the Python service did.
func readBody(x *exchange, r *http.Request, fields []field) (values, error) {
	return readFields(x, r, fields, false)
}

// readStrictBody is readBody of what the Python service did not have: it refuses
// other fields, for a name that is misspelt would mean all.
func readStrictBody(x *exchange, r *http.Request, fields []field) (values, error) {
	return readFields(x, r, fields, true)
}

func readFields(x *exchange, r *http.Request, fields []field, strict bool) (values, error) {
	body, err := readAll(x, r)
	if err != nil {
		return nil, err
	}
	raw, err := decodeObject(body)
	if err != nil {
		return nil, err
	}
	faults := unknown("query", r.URL.Query(), nil)
	if strict {
		faults = append(faults, unknown("body", raw, fields)...)
	}
	in, more := read(fields, raw, "body")
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, newFaults(faults)
	}
	return in, nil
}

// readQuery reads the fields of a GET. Of a repeated parameter the last counts;
// an empty one is the default.
func readQuery(r *http.Request, fields []field) (values, error) {
	query := r.URL.Query()
	raw := make(map[string]any, len(query))
	for name, all := range query {
		if last := all[len(all)-1]; last != "" {
			raw[name] = last
		}
	}
	in, faults := read(fields, raw, "query")
	if faults = append(faults, unknown("query", query, fields)...); len(faults) > 0 {
		return nil, newFaults(faults)
	}
	return in, nil
}

// unknown names what no field is given for.
func unknown[V any](place string, given map[string]V, fields []field) []fault {
	var faults []fault
	for name := range given {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			faults = append(faults, fault{place + "." + name, "no es un parámetro de esta operación"})
		}
	}
	slices.SortFunc(faults, func(a, b fault) int { return strings.Compare(a.Location, b.Location) })
	return faults
}

// readAll reads the body within its limits of size and time. What the headers
// tell against it is answered before any of it is read.
func readAll(x *exchange, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	if r.ContentLength > maxBody {
		return nil, errLargeBody
	}
	connection := http.NewResponseController(x)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout)) // where the connection can
	body, err := io.ReadAll(http.MaxBytesReader(x, r.Body, maxBody))
	if err == nil {
		// A deadline left standing would later cut the request's context.
		_ = connection.SetReadDeadline(time.Time{})
		return body, nil
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errLargeBody
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.Header().Set("Connection", "close")
		return nil, errSlowBody
	}
	return nil, newProblem(http.StatusBadRequest, "El cuerpo no llegó completo.")
}

// decodeObject is the JSON object of a body. No body is an empty object.
func decodeObject(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, newProblem(http.StatusBadRequest, "El cuerpo no está en UTF-8.")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, newProblem(http.StatusBadRequest, jsonComplaint(err))
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, newProblem(http.StatusBadRequest, "Hay algo después del objeto JSON; el cuerpo debe ser uno solo.")
	}
	object, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, newFaults([]fault{{"body", "debe ser un objeto JSON: {…}"}})
	}
	return object, nil
}

func jsonComplaint(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("El cuerpo no es JSON válido: el error está en el byte %d.", syntax.Offset)
	}
	return "El cuerpo no es JSON válido: termina antes de tiempo."
}

// checkContentType accepts JSON, and a request that does not say.
func checkContentType(header http.Header) error {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return newProblem(http.StatusUnsupportedMediaType, "El cuerpo debe llegar sin comprimir, no como Content-Encoding: "+coding+".")
	}
	declared := header.Get("Content-Type")
	if declared == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(declared)
	if err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		return nil
	}
	return errNotJSON
}
