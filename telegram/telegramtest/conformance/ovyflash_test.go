package conformance_test

import (
	"errors"
	"net/http"
	"testing"

	tgbotapi "github.com/OvyFlash/telegram-bot-api"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

type ovyFlash struct{ *tgbotapi.BotAPI }

func newOvyFlash(tb testing.TB, s *telegramtest.Server) client {
	tb.Helper()
	b, err := tgbotapi.NewBotAPIWithOptions(s.Token, tgbotapi.WithAPIEndpoint(s.URL+"/bot%s/%s")) // asks getMe
	return ovyFlash{must(tb, b, err)}
}

func (c ovyFlash) Send(m message) (int64, error) {
	text := tgbotapi.NewMessage(m.Chat, m.HTML)
	text.ParseMode, text.MessageThreadID = tgbotapi.ModeHTML, m.Thread
	if m.Buttons != nil {
		text.ReplyMarkup = c.keyboard(m)
	}
	sent, err := c.BotAPI.Send(text)
	return int64(sent.MessageID), err
}

func (c ovyFlash) Upload(m message, name string, data []byte) (int64, error) {
	document := tgbotapi.NewDocument(m.Chat, tgbotapi.FileBytes{Name: name, Bytes: data})
	document.ParseMode, document.MessageThreadID, document.Caption = tgbotapi.ModeHTML, m.Thread, m.HTML
	if m.Buttons != nil {
		document.ReplyMarkup = c.keyboard(m)
	}
	sent, err := c.BotAPI.Send(document)
	return int64(sent.MessageID), err
}

func (ovyFlash) keyboard(m message) tgbotapi.InlineKeyboardMarkup {
	var rows [][]tgbotapi.InlineKeyboardButton
	for _, row := range m.Buttons {
		var buttons []tgbotapi.InlineKeyboardButton
		for _, b := range row {
			if b.URL != "" {
				buttons = append(buttons, tgbotapi.NewInlineKeyboardButtonURL(b.Text, b.URL))
				continue
			}
			buttons = append(buttons, tgbotapi.NewInlineKeyboardButtonData(b.Text, b.Data))
		}
		rows = append(rows, buttons)
	}
	return tgbotapi.NewInlineKeyboardMarkup(rows...)
}

func (c ovyFlash) Edit(chat, id int64, html string) error {
	edit := tgbotapi.NewEditMessageText(chat, int(id), html)
	edit.ParseMode = tgbotapi.ModeHTML
	_, err := c.BotAPI.Send(edit)
	return err
}

func (c ovyFlash) request(r tgbotapi.Chattable) error {
	_, err := c.Request(r)
	return err
}

func (c ovyFlash) Delete(chat, id int64) error {
	return c.request(tgbotapi.NewDeleteMessage(chat, int(id)))
}

func (c ovyFlash) Answer(query, text string) error {
	return c.request(tgbotapi.NewCallback(query, text))
}

func (c ovyFlash) SetWebhook(url, secret string) error {
	hook, err := tgbotapi.NewWebhook(url)
	if err != nil {
		return err
	}
	hook.SecretToken = secret
	return c.request(hook)
}

func (c ovyFlash) DeleteWebhook() error { return c.request(tgbotapi.DeleteWebhookConfig{}) }

func (c ovyFlash) Poll(tb testing.TB, got chan<- update) {
	updates := c.GetUpdatesChan(tgbotapi.UpdateConfig{Timeout: 20})
	go func() {
		for u := range updates {
			c.pass(u, got)
		}
	}()
	tb.Cleanup(c.StopReceivingUpdates) // it may sleep a while after an error: nobody waits for it
}

func (c ovyFlash) Webhook(_ testing.TB, secret string, got chan<- update) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := c.HandleUpdate(r)
		if err != nil || r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.pass(*u, got)
	})
}

func (ovyFlash) pass(u tgbotapi.Update, got chan<- update) {
	switch {
	case u.Message != nil:
		got <- update{Text: u.Message.Text, From: u.Message.From.FirstName, Command: u.Message.IsCommand()}
	case u.CallbackQuery != nil:
		got <- update{Query: u.CallbackQuery.ID, Data: u.CallbackQuery.Data, Pressed: int64(u.CallbackQuery.Message.MessageID)}
	}
}

func (ovyFlash) Problem(err error) problem {
	var e *tgbotapi.Error
	if !errors.As(err, &e) {
		return problem{Text: err.Error()}
	}
	return problem{Code: e.Code, Text: e.Message, RetryAfter: e.RetryAfter, MigrateTo: e.MigrateToChatID}
}
