package main

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// previewChat is the chat of the page, on a fake Telegram in this process.
const previewChat = 1

// chatPage is the page of a fake Telegram that got the message: what is on it
// went through the same checks as in a real chat.
func chatPage(ctx context.Context, r ccm.Receipt) ([]byte, error) {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: previewChat, Type: "private", Title: "Vista previa"})
	bot, err := telegram.New(telegram.Config{
		Token: fake.Token, BaseURL: "http://telegram.invalid", HTTP: &http.Client{Transport: inProcess{fake}},
	})
	if err != nil {
		return nil, err
	}
	for _, part := range r.Parts {
		if _, err := bot.Send(ctx, telegram.Target{Chat: "1"}, part.Part); err != nil {
			return nil, err
		}
	}
	page := httptest.NewRecorder()
	fake.ServeHTTP(page, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	return page.Body.Bytes(), nil
}

// inProcess is a transport to a handler of this process.
type inProcess struct{ http.Handler }

// RoundTrip has the handler answer.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}
