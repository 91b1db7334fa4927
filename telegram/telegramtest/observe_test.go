package telegramtest_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestRatesFollowTheClock(t *testing.T) {
	is := is.New(t)
	s := known()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	s.LimitRates()
	accepted := 0
	for range 120 { // two minutes, one a second
		if call(t, s, "sendMessage", "chat_id", "-1001", "text", "x").OK {
			accepted++
		}
		now = now.Add(time.Second)
	}
	is.Equal(accepted, 20+39) // the burst of 20, then 20 a minute
	now = now.Add(time.Hour)
	for range 3 {
		is.True(call(t, s, "sendMessage", "chat_id", "5", "text", "x").OK)
	}
	answer := call(t, s, "sendMessage", "chat_id", "5", "text", "x")
	is.Equal(answer.Description, "Too Many Requests: retry after 1")
	is.Equal(answer.Parameters.RetryAfter, 1)
}

func TestAllChatsTogetherGetThirtyASecond(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	s.LimitRates()
	accepted := 0
	for id := range int64(40) {
		s.AddChat(telegramtest.Chat{ID: id + 1, Type: "private"})
		if call(t, s, "sendMessage", "chat_id", strconv.FormatInt(id+1, 10), "text", "x").OK {
			accepted++
		}
	}
	is.Equal(accepted, 30)
}

func TestWaitReturnsWhenTheMessagesAreThere(t *testing.T) {
	is := is.New(t)
	s := known()
	s.Receive(private, ana, "no es del bot")
	go func() {
		for range 3 {
			send(t, s, "5", "x")
		}
		call(t, s, "sendChatAction", "chat_id", "5", "action", "typing")
	}()
	is.Equal(len(s.Wait(t.Context(), private, 3)), 3)
	calls := s.WaitCalls(t.Context(), "sendchataction", 1)
	is.Equal(calls[0].Params["action"], "typing")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is.Equal(len(s.Wait(ctx, private, 99)), 3) // as many as there are
	is.Equal(s.Last(private).ID, int64(4))
	is.Equal(s.Last(channel), telegramtest.Message{})
	is.Equal(s.Messages(12345), nil)
}

func TestResetForgetsWhatHappenedAndKeepsTheChats(t *testing.T) {
	is := is.New(t)
	s := known()
	send(t, s, "5", "x")
	s.Receive(private, ana, "hola")
	s.Script(telegramtest.Fault{Status: 500})
	s.Reset()
	is.Equal(len(s.Messages(private))+len(s.Calls()), 0)
	is.Equal(call(t, s, "getUpdates").text(), "[]")
	is.Equal(number(t, s), int64(3))
}
