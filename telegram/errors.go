package telegram

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid is, for errors.Is, a wrong field of a [Config], a [Target] or a
// [Part], or another argument that cannot work. The text names it; no request
// was made.
var ErrInvalid = errors.New("telegram: invalid")

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w %s: %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

var errNilContext = invalid("ctx", "it is nil; context.Background() is one without a deadline")

// Outcome says what became of a request that did not succeed. It decides what
// may follow, and is the one field of an [Error] that is always set.
type Outcome uint8

const (
	// Refused means that Telegram answered no (400, 401, 403, 404, 409, …). The message
	// is not in the chat, and the same request would be refused again.
	Refused Outcome = iota + 1
	// RateLimited means that Telegram answered 429, or the [Gate] had no place before the
	// deadline. The message is not in the chat; the request may be repeated
	// after Error.RetryAfter.
	RateLimited
	// NotSent means that the request was never written; or an upload not to its
	// end, so that nobody could take it for a request. It may be repeated.
	NotSent
	// Uncertain means that the request was written, and what came back, if anything, does
	// not say what Telegram did with it: a time-out, a broken connection, a
	// 5xx, a page of a proxy. The message may be in the chat. Bot API methods
	// have no idempotency key, so that only a person can decide.
	Uncertain
)

// String names the outcome, for logs.
func (o Outcome) String() string {
	switch o {
	case Refused:
		return "refused"
	case RateLimited:
		return "rate limited"
	case NotSent:
		return "not sent"
	case Uncertain:
		return "uncertain"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// Error is a request that did not succeed. Get it with errors.As; a time-out,
// whoever set it, is context.DeadlineExceeded for errors.Is. None of its fields
// holds the token, nor what follows from Err.
type Error struct {
	// Method of the Bot API, such as sendMessage.
	Method string
	// Code is Telegram's error_code; or the HTTP status of an answer that was
	// not Telegram's, or was cut; or 0, if there was no answer.
	Code int
	// Description is Telegram's text, for people: "" if the answer was not
	// Telegram's. Programs go by Outcome and Code.
	Description string
	Outcome     Outcome
	// RetryAfter is, with RateLimited, how long to wait from when the error was
	// returned: what Telegram asked for, or what the [Gate] still has to hold
	// back. Zero: Telegram did not say.
	RetryAfter time.Duration
	// MigratedTo is the new id of a group that became a supergroup, else zero.
	// Bot.Deliver follows it.
	MigratedTo int64
	// Err is the cause, where there was no answer or not a whole one.
	Err error
}

// Error says what was asked, what became of it, and why; never the token.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "telegram: %s: %v", e.Method, e.Outcome)
	if e.Code != 0 {
		fmt.Fprintf(&b, " (%d)", e.Code)
	}
	if e.Description != "" {
		b.WriteString(": " + e.Description)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// BadToken reports whether Telegram does not know the bot: 401, or 404 where the
// token has not even the form of one. A method that does not exist is a 404 too.
// https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/ClientManager.cpp
func (e *Error) BadToken() bool {
	return e.Code == http.StatusUnauthorized || e.Code == http.StatusNotFound
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// safeError is the cause of a failed round trip without the token. A url.Error
// is dropped, as its URL holds it; of what is inside only the text is kept, and
// what it is for errors.Is: a type of net or net/http may hold a request.
func safeError(err error, t token) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var timeout net.Error
	return &cause{
		text:    t.redact(err.Error()),
		timeout: errors.As(err, &timeout) && timeout.Timeout(),
		is:      func(target error) bool { return errors.Is(err, target) },
	}
}

// cause is an error of which only the text, and no value, can be reached.
type cause struct {
	text    string
	timeout bool
	is      func(target error) bool
}

func (c *cause) Error() string { return c.text }
func (c *cause) Timeout() bool { return c.timeout }
func (c *cause) Is(target error) bool {
	return c.timeout && target == context.DeadlineExceeded || c.is(target)
}

// refusal is the error of an answer in which Telegram itself said no.
func (a answer) refusal(env envelope) *Error {
	e := &Error{
		Code:        env.ErrorCode,
		Description: env.Description,
		Outcome:     Uncertain,
		MigratedTo:  env.Parameters.MigrateTo,
	}
	switch {
	case e.Code == http.StatusTooManyRequests:
		e.Outcome, e.RetryAfter = RateLimited, a.retryAfter(env)
	case e.Code >= 400 && e.Code < 500:
		e.Outcome = Refused
	}
	return e
}

// retryAfter is what the envelope says, else the header; zero if neither does.
func (a answer) retryAfter(env envelope) time.Duration {
	seconds := env.Parameters.RetryAfter
	if seconds <= 0 {
		seconds, _ = strconv.ParseInt(a.header.Get("Retry-After"), 10, 64)
	}
	return time.Duration(min(max(seconds, 0), math.MaxInt32)) * time.Second
}
