package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// storedError is why a part did not arrive, as far as an answer shows it.
type storedError struct {
	Code     ccm.Code        `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
	Cause    string          `json:"cause,omitempty"` // its text
	Telegram *storedTelegram `json:"telegram,omitempty"`
	Timeout  bool            `json:"timeout,omitempty"`
	Canceled bool            `json:"canceled,omitempty"`
}

// storedTelegram is a telegram.Error.
type storedTelegram struct {
	Method      string           `json:"method"`
	Code        int              `json:"code,omitempty"`
	Description string           `json:"description,omitempty"`
	Outcome     telegram.Outcome `json:"outcome"`
	RetryAfter  time.Duration    `json:"retry_after,omitempty"` // nanoseconds
	MigratedTo  int64            `json:"migrated_to,omitempty"`
	Cause       string           `json:"cause,omitempty"`
}

// encodeError is an error as its column takes it.
func encodeError(err error) (any, error) {
	if err == nil {
		return nil, nil
	}
	var s storedError
	cause := err
	if known, ok := errors.AsType[*ccm.Error](err); ok {
		s.Code, s.Message, cause = known.Code, known.Message, known.Err
	}
	if cause != nil {
		s.Cause, s.Timeout, s.Canceled = cause.Error(), timedOut(cause), errors.Is(cause, context.Canceled)
	}
	if t, ok := errors.AsType[*telegram.Error](cause); ok {
		s.Telegram = &storedTelegram{t.Method, t.Code, t.Description, t.Outcome, t.RetryAfter, t.MigratedTo, ""}
		if t.Err != nil {
			s.Telegram.Cause = t.Err.Error()
		}
	}
	text, err := jsonText(s)
	return text, err
}

func timedOut(err error) bool {
	late, ok := errors.AsType[net.Error](err)
	return ok && late.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// decodeError is the error that a column holds; nil of NULL.
func decodeError(text sql.NullString) (error, error) {
	if !text.Valid {
		return nil, nil
	}
	var s storedError
	if err := json.Unmarshal([]byte(text.String), &s); err != nil {
		return nil, err
	}
	var cause error
	if t := s.Telegram; t != nil {
		answer := &telegram.Error{
			Method: t.Method, Code: t.Code, Description: t.Description, Outcome: t.Outcome, RetryAfter: t.RetryAfter, MigratedTo: t.MigratedTo,
		}
		if t.Cause != "" {
			answer.Err = &storedCause{text: t.Cause, timeout: s.Timeout, canceled: s.Canceled}
		}
		cause = answer
	}
	if s.Cause != "" && (cause == nil || cause.Error() != s.Cause) {
		cause = &storedCause{s.Cause, s.Timeout, s.Canceled, cause}
	}
	if s.Code == "" {
		return cause, nil
	}
	return &ccm.Error{Code: s.Code, Message: s.Message, Err: cause}, nil
}

// storedCause is an error of which the text was kept, and what it is for errors.Is.
type storedCause struct {
	text              string
	timeout, canceled bool
	inner             error
}

func (c *storedCause) Error() string { return c.text }
func (c *storedCause) Unwrap() error { return c.inner }
func (c *storedCause) Timeout() bool { return c.timeout }
func (c *storedCause) Is(target error) bool {
	return c.timeout && target == context.DeadlineExceeded || c.canceled && target == context.Canceled
}
