package httpapi

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// exchange is one request under way: where its answer is written, and what its
// log line will say.
type exchange struct {
	http.ResponseWriter
	id        string // of this request, X-Request-ID
	messageID string // of the answer: id, or the first request's when it is replayed
	began     time.Time
	route     string // the pattern, "" for an unknown path
	quiet     bool
	client    string // name of the API key
	status    int    // 0: nothing written yet
	timings   ccm.Timings
	facts     []slog.Attr // what the operation adds to the log line
}

// WriteHeader notes the status, for the log.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write notes the implied 200.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Header values that never change are shared: nothing writes into them.
var (
	jsonType    = []string{"application/json"}
	problemType = []string{"application/problem+json"}
)

// note adds a fact to the request's log line.
func (x *exchange) note(facts ...slog.Attr) { x.facts = append(x.facts, facts...) }

// noteData adds what is known of an operation's data: figures, never texts.
func (x *exchange) noteData(dataset string, in values, meta ccm.Meta) {
	branch := in.int("branch_id")
	if meta.Branch != nil {
		branch = *meta.Branch
	}
	x.note(slog.String("dataset_id", dataset))
	if branch != 0 {
		x.note(slog.Int("branch_id", branch))
	}
	if meta.Cache != nil {
		x.note(slog.Bool("cache_hit", meta.CacheHit), slog.String("cache_source", meta.Cache.Source), slog.Bool("cache_stale", meta.Cache.Stale),
			slog.Int("records_processed", meta.RecordCount),
			slog.Int("records_skipped", meta.RecordsSkipped))
	}
}

// buffers hold an answer until it is whole, so that a failure to encode it can
// still become a 500.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps one huge answer from staying in memory for good.
const maxPooled = 64 << 10

// json writes v as the whole answer.
func (x *exchange) json(status int, contentType []string, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxPooled {
			buffers.Put(buf)
		}
	}()
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	x.bytes(status, contentType, buf.Bytes())
	return nil
}

// bytes writes content as the whole answer.
func (x *exchange) bytes(status int, contentType []string, content []byte) {
	header := x.Header()
	header["Content-Type"] = contentType
	header["Content-Length"] = []string{strconv.Itoa(len(content))}
	x.WriteHeader(status)
	_, _ = x.Write(content) // a caller that left gets nothing more
}
