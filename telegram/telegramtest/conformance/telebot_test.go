package conformance_test

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	tele "gopkg.in/telebot.v4"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

type telebot struct{ *tele.Bot }

func newTelebot(tb testing.TB, s *telegramtest.Server) client {
	tb.Helper()
	b, err := tele.NewBot(tele.Settings{Token: s.Token, URL: s.URL, Synchronous: true}) // asks getMe
	return telebot{must(tb, b, err)}
}

func (c telebot) Send(m message) (int64, error) {
	sent, err := c.Bot.Send(tele.ChatID(m.Chat), m.HTML, c.options(m))
	return c.id(sent), err
}

func (c telebot) Upload(m message, name string, data []byte) (int64, error) {
	document := &tele.Document{File: tele.FromReader(bytes.NewReader(data)), FileName: name, Caption: m.HTML}
	sent, err := c.Bot.Send(tele.ChatID(m.Chat), document, c.options(m))
	return c.id(sent), err
}

func (telebot) id(m *tele.Message) int64 {
	if m == nil {
		return 0
	}
	return int64(m.ID)
}

func (telebot) options(m message) *tele.SendOptions {
	o := &tele.SendOptions{ParseMode: tele.ModeHTML, ThreadID: m.Thread}
	if m.Buttons != nil {
		o.ReplyMarkup = &tele.ReplyMarkup{}
	}
	for _, row := range m.Buttons {
		var buttons []tele.InlineButton
		for _, b := range row {
			buttons = append(buttons, tele.InlineButton{Text: b.Text, URL: b.URL, Data: b.Data})
		}
		o.ReplyMarkup.InlineKeyboard = append(o.ReplyMarkup.InlineKeyboard, buttons)
	}
	return o
}

func (telebot) stored(chat, id int64) tele.StoredMessage {
	return tele.StoredMessage{ChatID: chat, MessageID: strconv.FormatInt(id, 10)}
}

func (c telebot) Edit(chat, id int64, html string) error {
	_, err := c.Bot.Edit(c.stored(chat, id), html, tele.ModeHTML)
	return err
}

func (c telebot) Delete(chat, id int64) error { return c.Bot.Delete(c.stored(chat, id)) }

func (c telebot) Answer(query, text string) error {
	return c.Respond(&tele.Callback{ID: query}, &tele.CallbackResponse{Text: text})
}

func (c telebot) SetWebhook(url, secret string) error {
	return c.Bot.SetWebhook(&tele.Webhook{Endpoint: &tele.WebhookEndpoint{PublicURL: url}, SecretToken: secret})
}

func (c telebot) DeleteWebhook() error { return c.RemoveWebhook() }

func (c telebot) Poll(tb testing.TB, got chan<- update) {
	c.Poller = &tele.LongPoller{Timeout: 20 * time.Second}
	c.start(tb, got)
}

func (c telebot) Webhook(tb testing.TB, secret string, got chan<- update) http.Handler {
	hook := &tele.Webhook{IgnoreSetWebhook: true, SecretToken: secret}
	// Its Poll only tells it where updates go; done here, it is no race.
	stop := make(chan struct{})
	close(stop)
	hook.Poll(c.Bot, c.Updates, stop)
	c.Poller = idle{}
	c.start(tb, got)
	return hook
}

// idle polls nothing.
type idle struct{}

func (idle) Poll(_ *tele.Bot, _ chan tele.Update, stop chan struct{}) { <-stop }

func (c telebot) start(tb testing.TB, got chan<- update) {
	c.Handle(tele.OnText, func(t tele.Context) error {
		m := t.Message()
		got <- update{Text: m.Text, From: m.Sender.FirstName, Command: len(m.Entities) > 0 && m.Entities[0].Type == tele.EntityCommand}
		return nil
	})
	c.Handle(tele.OnCallback, func(t tele.Context) error {
		q := t.Callback()
		got <- update{Query: q.ID, Data: q.Data, Pressed: int64(q.Message.ID)}
		return nil
	})
	go c.Start()
	tb.Cleanup(c.Stop)
}

// unknown is how telebot writes an error that it does not know by its text.
var unknown = regexp.MustCompile(`\((\d+)\)$`)

func (telebot) Problem(err error) problem {
	p := problem{Text: err.Error()}
	var e *tele.Error
	var flood tele.FloodError
	var moved tele.GroupError
	switch {
	case errors.As(err, &flood):
		p.Code, p.RetryAfter = http.StatusTooManyRequests, flood.RetryAfter
	case errors.As(err, &moved):
		p.Code, p.MigrateTo = http.StatusBadRequest, moved.MigratedTo
	case errors.As(err, &e):
		p.Code, p.Text = e.Code, e.Description
	default:
		if found := unknown.FindStringSubmatch(err.Error()); found != nil {
			p.Code, _ = strconv.Atoi(found[1])
		}
	}
	return p
}
