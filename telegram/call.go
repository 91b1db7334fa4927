package telegram

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"regexp"
	"sync/atomic"
	"time"
)

// methodForm is a name that may stand in a URL.
var methodForm = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// Call calls any method of the Bot API, once: in is a map or a struct of its
// arguments (nil: none), and the result is decoded into what out points to (nil:
// dropped; a *json.RawMessage takes it as it is). It does not wait at the [Gate].
//
// The arguments are sent as JSON, or, where there is a [File] among them,
// streamed as a form.
//
// A failure is an [*Error]. [Uncertain] tells of methods that change something;
// one that only asks, such as getMe, may always be called again. A result that
// does not fit out is Uncertain with Code 200. A form without its end is no
// request: one that breaks off before, such as by a Reader that fails, is
// [NotSent].
func (b *Bot) Call(ctx context.Context, method string, in, out any) error {
	if ctx == nil {
		return errNilContext
	}
	if !methodForm.MatchString(method) {
		return invalid("method", "it must be the name of a Bot API method, which is letters only")
	}
	if v := reflect.ValueOf(out); out != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
		return invalid("out", "it must be a pointer to where the result belongs, or nil")
	}
	if _, e := b.call(ctx, method, in, out); e != nil {
		return e
	}
	return nil
}

// call answers with the whole body as well.
func (b *Bot) call(ctx context.Context, method string, in, out any) ([]byte, *Error) {
	args, err := encode(in)
	if err != nil {
		return nil, &Error{Method: method, Outcome: NotSent, Err: err}
	}
	t, err := b.token()
	if err != nil {
		return nil, &Error{Method: method, Outcome: NotSent, Err: err}
	}
	a, e := b.exchange(ctx, t, method, args)
	if e == nil {
		e = a.decode(out)
	}
	if e != nil {
		if e.Outcome == Uncertain && args.broken() {
			e.Outcome = NotSent
		}
		e.Method, e.Description = method, t.redact(e.Description)
		return nil, e
	}
	return a.body, nil
}

// arguments are the body of a request.
type arguments struct {
	json   []byte
	upload *upload // instead of json, where there is a file; nil: none
}

// broken says of a form that is over that its end was never given out. A server
// knows by the length or the chunks that such a request is none.
func (a arguments) broken() bool { return a.upload != nil && !a.upload.whole.Load() }

func encode(in any) (arguments, error) {
	if in == nil {
		return arguments{json: []byte("{}")}, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // markup is half of what is sent
	if err := enc.Encode(in); err != nil {
		return arguments{}, invalid("in", "it cannot be sent as JSON: %v", err)
	}
	switch raw := b.Bytes(); {
	case raw[0] == 'n': // null, of a nil map
		return encode(nil)
	case raw[0] != '{':
		return arguments{}, invalid("in", "it must be a map or a struct, which name the arguments")
	}
	if !bytes.Contains(b.Bytes(), fileMark) {
		return arguments{json: b.Bytes()}, nil
	}
	u, err := uploadOf(in, b.Bytes())
	return arguments{upload: u}, err
}

// request is the request for them, bounded in time. Each Read of an upload
// gives it the whole time-out again: how long a large one takes is no fault.
func (a arguments) request(ctx context.Context, url string, timeout time.Duration) (*http.Request, context.CancelFunc, error) {
	if a.upload == nil {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		r, err := newRequest(ctx, url, "application/json", bytes.NewReader(a.json))
		return r, cancel, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	a.upload.moved = func() { timer.Reset(timeout) }
	context.AfterFunc(ctx, func() { a.upload.breakOff(context.Cause(ctx)) })
	end := func() {
		timer.Stop()
		cancel(nil)
		a.upload.stop()
	}
	r, err := newRequest(ctx, url, a.upload.contentType, a.upload)
	if err == nil {
		r.ContentLength = a.upload.size
	}
	return r, end, err
}

func newRequest(ctx context.Context, url, contentType string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", userAgent)
	return r, nil
}

// maxAnswer is more than any method answers, and as much as is read.
const maxAnswer = 8 << 20

// exchange sends one request and reads the whole answer. It adds nothing that
// would let net/http repeat the POST by itself, such as an Idempotency-Key.
func (b *Bot) exchange(ctx context.Context, t token, method string, args arguments) (answer, *Error) {
	if err := ctx.Err(); err != nil {
		return answer{}, &Error{Outcome: NotSent, Err: err}
	}
	p := progress{traced: b.traces}
	r, end, err := args.request(p.watch(ctx), b.base+"/bot"+t.String()+"/"+method, b.timeout)
	defer end()
	if err != nil {
		return answer{}, &Error{Outcome: NotSent, Err: safeError(err, t)}
	}
	resp, err := b.http.Do(r)
	if err != nil {
		return answer{}, &Error{Outcome: p.outcome(), Err: safeError(err, t)}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		failed := &Error{Outcome: Uncertain, Err: safeError(err, t)}
		if !a.success() {
			failed.Code = a.status
		}
		return answer{}, failed
	}
	return a, nil
}

const userAgent = "ccm-telegram (+https://github.com/ccmwf/ccm)"

// progress knows how far a request got, on any attempt of the transport: net/http
// may try a second connection when the first was closed before a byte was written.
type progress struct {
	traced  bool // the transport is known to report what it writes
	getConn atomic.Bool
	written atomic.Bool
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { p.getConn.Store(true) },
		WroteHeaders: func() { p.written.Store(true) },
	})
}

// outcome of a request without an answer. A transport that reported nothing at
// all may have written everything.
func (p *progress) outcome() Outcome {
	if (p.traced || p.getConn.Load()) && !p.written.Load() {
		return NotSent
	}
	return Uncertain
}

// answer is what came back over HTTP, whoever gave it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) success() bool { return a.status/100 == 2 }

// envelope is what is around each answer of the Bot API.
// https://core.telegram.org/bots/api#making-requests
type envelope struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// decode opens the envelope and puts the result into out, unless that is nil.
func (a answer) decode(out any) *Error {
	var env envelope
	err := json.Unmarshal(a.body, &env)
	switch {
	case err == nil && env.ErrorCode != 0 && !env.OK:
		return a.refusal(env)
	case err != nil, !env.OK, !a.success():
		return &Error{Code: a.status, Outcome: Uncertain, Err: a.strange()}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(env.Result, out); err != nil {
		return &Error{Code: a.status, Outcome: Uncertain, Err: misfit(err)}
	}
	return nil
}

// misfit says what is wrong with a result without the Go type, which is for who
// wrote it.
func misfit(err error) error {
	text := err.Error()
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		text = cmp.Or(wrong.Field, "it") + " is a JSON " + wrong.Value
	}
	return &cause{text: "the result is not as expected: " + text, is: func(target error) bool { return errors.Is(err, target) }}
}

// strange describes an answer that is not Telegram's. It quotes nothing: a page
// of a proxy shows the address that was asked for, which holds the token.
func (a answer) strange() error {
	if len(a.body) == 0 {
		return fmt.Errorf("the answer is empty")
	}
	return fmt.Errorf("the answer is not the Bot API's, or not whole (%d bytes)", len(a.body))
}
