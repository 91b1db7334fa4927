package conformance_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/mymmrac/telego/telegoapi"
	tu "github.com/mymmrac/telego/telegoutil"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

type telegoClient struct{ *telego.Bot }

func newTelego(tb testing.TB, s *telegramtest.Server) client {
	tb.Helper()
	b, err := telego.NewBot(s.Token, telego.WithAPIServer(s.URL), telego.WithDiscardLogger(), telego.WithHealthCheck(context.Background()))
	return telegoClient{must(tb, b, err)}
}

func (c telegoClient) Send(m message) (int64, error) {
	sent, err := c.SendMessage(context.Background(), &telego.SendMessageParams{
		ChatID: tu.ID(m.Chat), MessageThreadID: m.Thread, Text: m.HTML, ParseMode: telego.ModeHTML, ReplyMarkup: c.keyboard(m),
	})
	return c.id(sent), err
}

func (c telegoClient) Upload(m message, name string, data []byte) (int64, error) {
	sent, err := c.SendDocument(context.Background(), &telego.SendDocumentParams{
		ChatID: tu.ID(m.Chat), MessageThreadID: m.Thread, Caption: m.HTML, ParseMode: telego.ModeHTML, ReplyMarkup: c.keyboard(m),
		Document: tu.FileFromBytes(data, name),
	})
	return c.id(sent), err
}

func (telegoClient) id(m *telego.Message) int64 {
	if m == nil {
		return 0
	}
	return int64(m.MessageID)
}

func (telegoClient) keyboard(m message) telego.ReplyMarkup {
	if m.Buttons == nil {
		return nil
	}
	var rows [][]telego.InlineKeyboardButton
	for _, row := range m.Buttons {
		var buttons []telego.InlineKeyboardButton
		for _, b := range row {
			buttons = append(buttons, telego.InlineKeyboardButton{Text: b.Text, URL: b.URL, CallbackData: b.Data})
		}
		rows = append(rows, buttons)
	}
	return &telego.InlineKeyboardMarkup{InlineKeyboard: rows}
}

func (c telegoClient) Edit(chat, id int64, html string) error {
	_, err := c.EditMessageText(context.Background(), &telego.EditMessageTextParams{ChatID: tu.ID(chat), MessageID: int(id), Text: html, ParseMode: telego.ModeHTML})
	return err
}

func (c telegoClient) Delete(chat, id int64) error {
	return c.DeleteMessage(context.Background(), &telego.DeleteMessageParams{ChatID: tu.ID(chat), MessageID: int(id)})
}

func (c telegoClient) Answer(query, text string) error {
	return c.AnswerCallbackQuery(context.Background(), &telego.AnswerCallbackQueryParams{CallbackQueryID: query, Text: text})
}

func (c telegoClient) SetWebhook(url, secret string) error {
	return c.Bot.SetWebhook(context.Background(), &telego.SetWebhookParams{URL: url, SecretToken: secret})
}

func (c telegoClient) DeleteWebhook() error {
	return c.Bot.DeleteWebhook(context.Background(), &telego.DeleteWebhookParams{})
}

func (c telegoClient) Poll(tb testing.TB, got chan<- update) {
	run(tb, func(ctx context.Context) {
		updates, err := c.UpdatesViaLongPolling(ctx, &telego.GetUpdatesParams{Timeout: 20}, telego.WithLongPollingRetryTimeout(10*time.Millisecond))
		c.pass(must(tb, updates, err), got)
	})
}

func (c telegoClient) Webhook(tb testing.TB, secret string, got chan<- update) http.Handler {
	var take telego.WebhookHandler
	ready := make(chan struct{})
	run(tb, func(ctx context.Context) {
		updates, err := c.UpdatesViaWebhook(ctx, func(h telego.WebhookHandler) error { take = h; return nil })
		close(ready)
		c.pass(must(tb, updates, err), got)
	})
	<-ready
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil || r.Header.Get(telego.WebhookSecretTokenHeader) != secret:
			w.WriteHeader(http.StatusUnauthorized)
		case take(context.Background(), body) != nil:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
}

func (telegoClient) pass(updates <-chan telego.Update, got chan<- update) {
	for u := range updates {
		switch {
		case u.Message != nil:
			command, _, _ := tu.ParseCommand(u.Message.Text)
			marked := len(u.Message.Entities) > 0 && u.Message.Entities[0].Type == telego.EntityTypeBotCommand
			got <- update{Text: u.Message.Text, From: u.Message.From.FirstName, Command: command != "" && marked}
		case u.CallbackQuery != nil:
			got <- update{Query: u.CallbackQuery.ID, Data: u.CallbackQuery.Data, Pressed: int64(u.CallbackQuery.Message.GetMessageID())}
		}
	}
}

func (telegoClient) Problem(err error) problem {
	var e *telegoapi.Error
	if !errors.As(err, &e) {
		return problem{Text: err.Error()}
	}
	p := problem{Code: e.ErrorCode, Text: strings.TrimSpace(e.Description)}
	if e.Parameters != nil {
		p.RetryAfter, p.MigrateTo = e.Parameters.RetryAfter, e.Parameters.MigrateToChatID
	}
	return p
}
