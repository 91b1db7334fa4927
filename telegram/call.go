package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"sync/atomic"
)

// methodForm is a name that may stand in a URL.
var methodForm = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// Call calls any method of the Bot API, once: in is sent as JSON (nil: no
// arguments), and the result is decoded into out (nil: dropped; a
// *json.RawMessage takes it as it is). It does not wait at the [Gate].
//
// A failure is an [*Error]. [Uncertain] tells of methods that change something;
// one that only asks, such as getMe, may always be called again. A result that
// does not fit out is Uncertain with Code 200.
func (b *Bot) Call(ctx context.Context, method string, in, out any) error {
	if ctx == nil {
		return errNilContext
	}
	if !methodForm.MatchString(method) {
		return invalid("method", "it must be the name of a Bot API method, which is letters only")
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
		e.Method, e.Description = method, t.redact(e.Description)
		return nil, e
	}
	return a.body, nil
}

func encode(in any) ([]byte, error) {
	if in == nil {
		return []byte("{}"), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // markup is half of what is sent
	if err := enc.Encode(in); err != nil {
		return nil, invalid("in", "it cannot be sent as JSON: %v", err)
	}
	return b.Bytes(), nil
}

// maxAnswer is more than any method answers, and as much as is read.
const maxAnswer = 8 << 20

// exchange sends one request and reads the whole answer. It adds nothing that
// would let net/http repeat the POST by itself, such as an Idempotency-Key.
func (b *Bot) exchange(ctx context.Context, t token, method string, args []byte) (answer, *Error) {
	if err := ctx.Err(); err != nil {
		return answer{}, &Error{Outcome: NotSent, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	p := progress{traced: b.traces}
	url := b.base + "/bot" + t.String() + "/" + method
	r, err := http.NewRequestWithContext(p.watch(ctx), http.MethodPost, url, bytes.NewReader(args))
	if err != nil {
		return answer{}, &Error{Outcome: NotSent, Err: safeError(err, t)}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
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
		return &Error{Code: a.status, Outcome: Uncertain, Err: fmt.Errorf("the result is not as expected: %w", err)}
	}
	return nil
}

// strange describes an answer that is not Telegram's. It quotes nothing: a page
// of a proxy shows the address that was asked for, which holds the token.
func (a answer) strange() error {
	if len(a.body) == 0 {
		return fmt.Errorf("the answer is empty")
	}
	return fmt.Errorf("the answer is not the Bot API's, or not whole (%d bytes)", len(a.body))
}
