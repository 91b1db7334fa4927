package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

type goTelegram struct{ *bot.Bot }

func newGoTelegram(tb testing.TB, s *telegramtest.Server) client {
	tb.Helper()
	b, err := bot.New(s.Token, bot.WithServerURL(s.URL)) // asks getMe
	return goTelegram{must(tb, b, err)}
}

func (c goTelegram) Send(m message) (int64, error) {
	sent, err := c.SendMessage(context.Background(), &bot.SendMessageParams{
		ChatID: m.Chat, MessageThreadID: m.Thread, Text: m.HTML, ParseMode: models.ParseModeHTML, ReplyMarkup: c.keyboard(m),
	})
	return c.id(sent), err
}

func (c goTelegram) Upload(m message, name string, data []byte) (int64, error) {
	sent, err := c.SendDocument(context.Background(), &bot.SendDocumentParams{
		ChatID: m.Chat, MessageThreadID: m.Thread, Caption: m.HTML, ParseMode: models.ParseModeHTML, ReplyMarkup: c.keyboard(m),
		Document: &models.InputFileUpload{Filename: name, Data: bytes.NewReader(data)},
	})
	return c.id(sent), err
}

func (goTelegram) id(m *models.Message) int64 {
	if m == nil {
		return 0
	}
	return int64(m.ID)
}

func (goTelegram) keyboard(m message) models.ReplyMarkup {
	if m.Buttons == nil {
		return nil
	}
	var rows [][]models.InlineKeyboardButton
	for _, row := range m.Buttons {
		var buttons []models.InlineKeyboardButton
		for _, b := range row {
			buttons = append(buttons, models.InlineKeyboardButton{Text: b.Text, URL: b.URL, CallbackData: b.Data})
		}
		rows = append(rows, buttons)
	}
	return models.InlineKeyboardMarkup{InlineKeyboard: rows}
}

func (c goTelegram) Edit(chat, id int64, html string) error {
	_, err := c.EditMessageText(context.Background(), &bot.EditMessageTextParams{ChatID: chat, MessageID: int(id), Text: html, ParseMode: models.ParseModeHTML})
	return err
}

func (c goTelegram) Delete(chat, id int64) error {
	_, err := c.DeleteMessage(context.Background(), &bot.DeleteMessageParams{ChatID: chat, MessageID: int(id)})
	return err
}

func (c goTelegram) Answer(query, text string) error {
	_, err := c.AnswerCallbackQuery(context.Background(), &bot.AnswerCallbackQueryParams{CallbackQueryID: query, Text: text})
	return err
}

func (c goTelegram) SetWebhook(url, secret string) error {
	_, err := c.Bot.SetWebhook(context.Background(), &bot.SetWebhookParams{URL: url, SecretToken: secret})
	return err
}

func (c goTelegram) DeleteWebhook() error {
	_, err := c.Bot.DeleteWebhook(context.Background(), &bot.DeleteWebhookParams{})
	return err
}

func (c goTelegram) Poll(tb testing.TB, got chan<- update) {
	c.handle(got)
	run(tb, c.Start)
}

func (c goTelegram) Webhook(tb testing.TB, secret string, got chan<- update) http.Handler {
	c.handle(got)
	bot.WithWebhookSecretToken(secret)(c.Bot)
	run(tb, c.StartWebhook)
	return c.WebhookHandler()
}

func (c goTelegram) handle(got chan<- update) {
	bot.WithDefaultHandler(func(_ context.Context, _ *bot.Bot, u *models.Update) {
		switch {
		case u.Message != nil:
			command := len(u.Message.Entities) > 0 && u.Message.Entities[0].Type == models.MessageEntityTypeBotCommand
			got <- update{Text: u.Message.Text, From: u.Message.From.FirstName, Command: command}
		case u.CallbackQuery != nil:
			got <- update{Query: u.CallbackQuery.ID, Data: u.CallbackQuery.Data, Pressed: int64(u.CallbackQuery.Message.Message.ID)}
		}
	})(c.Bot)
}

func (goTelegram) Problem(err error) problem {
	p := problem{Text: err.Error()}
	var flood *bot.TooManyRequestsError
	var moved *bot.MigrateError
	switch {
	case errors.As(err, &flood):
		p.Code, p.RetryAfter = http.StatusTooManyRequests, flood.RetryAfter
	case errors.As(err, &moved):
		p.Code, p.MigrateTo = http.StatusBadRequest, int64(moved.MigrateToChatID)
	case errors.Is(err, bot.ErrorBadRequest):
		p.Code = http.StatusBadRequest
	case errors.Is(err, bot.ErrorForbidden):
		p.Code = http.StatusForbidden
	case errors.Is(err, bot.ErrorConflict):
		p.Code = http.StatusConflict
	}
	return p
}

// run runs a client's loop until the test ends, and waits for its end.
func run(tb testing.TB, loop func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); loop(ctx) }()
	tb.Cleanup(func() { cancel(); <-done })
}
