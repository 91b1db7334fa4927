package telegram_test

import (
	"errors"
	"io"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

// picky is a result that does not decode.
type picky struct{}

func (*picky) UnmarshalJSON([]byte) error { return io.ErrNoProgress }

func TestAResultThatDoesNotFitShowsNoGoType(t *testing.T) {
	is := is.New(t)
	b, _ := newWire(t, says(200, `{"ok":true,"result":{"message_id":"7","chat":{"id":[1]}}}`))
	_, err := b.Send(t.Context(), target, part("x"))
	is.Equal(err.Error(), "telegram: sendMessage: uncertain (200): the result is not as expected: message_id is a JSON string")
	var out struct {
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
	}
	err = b.Call(t.Context(), "getChat", nil, &out)
	is.Equal(err.Error(), "telegram: getChat: uncertain (200): the result is not as expected: chat.id is a JSON array")
	var ok bool
	err = b.Call(t.Context(), "getChat", nil, &ok)
	is.Equal(err.Error(), "telegram: getChat: uncertain (200): the result is not as expected: it is a JSON object")
	is.Equal(asError(t, err).Code, 200)
	err = b.Call(t.Context(), "getChat", nil, &picky{})
	is.True(errors.Is(err, io.ErrNoProgress))
}

func TestABaseURLNamesAHost(t *testing.T) {
	for _, base := range []string{"http://:80", "https://:443/path", "http://[]:80"} {
		_, err := telegram.New(telegram.Config{Token: token, BaseURL: base})
		is.New(t).True(errors.Is(err, telegram.ErrInvalid))
	}
}
