package conformance_test

import (
	"net/http"
	"testing"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// client is what the scenarios need of a foreign client.
type client interface {
	Send(m message) (id int64, err error)
	Upload(m message, name string, data []byte) (id int64, err error)
	Edit(chat, id int64, html string) error
	Delete(chat, id int64) error
	Answer(query, text string) error
	SetWebhook(url, secret string) error
	DeleteWebhook() error

	// Poll runs the client's own loop until the test ends.
	Poll(tb testing.TB, got chan<- update)
	// Webhook is the client's own handler.
	Webhook(tb testing.TB, secret string, got chan<- update) http.Handler
	// Problem reads an error by the client's own types.
	Problem(err error) problem
}

// message is sent as HTML; a file's is its caption.
type message struct {
	Chat    int64
	Thread  int
	HTML    string
	Buttons [][]telegramtest.Button // with a URL or Data
}

// update is what a client understood of one.
type update struct {
	Text, From  string // of a message
	Command     bool   // its text begins with a command
	Query, Data string // of a pressed button
	Pressed     int64  // the message the button is of
}

// problem is what a client understood of a refusal.
type problem struct {
	Code       int
	Text       string // contains the description
	RetryAfter int
	MigrateTo  int64
}

// clients are made for a running server.
var clients = map[string]func(tb testing.TB, s *telegramtest.Server) client{
	"go-telegram-bot": newGoTelegram,
	"telego":          newTelego,
	"OvyFlash":        newOvyFlash,
	"telebot":         newTelebot,
}

func must[T any](tb testing.TB, v T, err error) T {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return v
}
