package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/gatetest"
	"github.com/ccmwf/ccm/telegram/internal/rates"
	"github.com/ccmwf/ccm/telegram/telegramtest"
	"github.com/matryer/is"
)

// burst delivers n messages to chat one after the other and returns when each went out.
func burst(t *testing.T, b *telegram.Bot, w *wire, chat string, n int) []time.Duration {
	t.Helper()
	begin := time.Now()
	for range n {
		if _, err := b.Deliver(t.Context(), telegram.Target{Chat: chat}, parts("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	var at []time.Duration
	for _, r := range w.got {
		at = append(at, r.At.Sub(begin).Round(time.Millisecond))
	}
	return at
}

func TestGateHoldsTheRates(t *testing.T) {
	bubble(t, "a chat gets a short burst, then one a second", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		is.Equal(burst(t, b, w, "5512345", 5), []time.Duration{0, 0, 0, time.Second, 2 * time.Second})
	})
	bubble(t, "a group gets 20, then one in three seconds", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		at := burst(t, b, w, group, 40)
		is.Equal(at[3], time.Second)
		for i := 32; i < len(at); i++ {
			is.Equal(at[i]-at[i-1], 3*time.Second)
		}
	})
	bubble(t, "all chats together get 30 a second", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		begin := time.Now()
		for i := range 90 {
			_, err := b.Deliver(t.Context(), telegram.Target{Chat: fmt.Sprint(1000 + i)}, parts("x"), nil)
			is.NoErr(err)
		}
		is.Equal(w.got[29].At, begin)
		is.Equal(time.Since(begin).Round(10*time.Millisecond), 2*time.Second)
	})
	bubble(t, "a busy chat takes nothing from the others", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, accepts)
		var busy sync.WaitGroup
		for range 100 {
			busy.Go(func() { _, _ = b.Deliver(t.Context(), telegram.Target{Chat: "1000"}, parts("x"), nil) })
		}
		synctest.Wait()
		begin := time.Now()
		for i := range 20 {
			_, err := b.Deliver(t.Context(), telegram.Target{Chat: fmt.Sprint(2000 + i)}, parts("x"), nil)
			is.NoErr(err)
		}
		is.Equal(time.Since(begin), time.Duration(0))
		busy.Wait()
	})
}

func TestGateAndDeadlines(t *testing.T) {
	bubble(t, "no place before the deadline is a rate limit of its own", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		burst(t, b, w, "5512345", 6) // the next place is in a second
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		_, err := b.Deliver(ctx, telegram.Target{Chat: "5512345"}, parts("x"), nil)
		e := asError(t, err)
		is.Equal(e.Outcome, telegram.RateLimited)
		is.Equal(e.RetryAfter, time.Second)
		is.Equal(len(w.got), 6)
	})
	bubble(t, "who leaves gives the place back", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		burst(t, b, w, "5512345", 3)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		begin := time.Now()
		_, err := b.Deliver(ctx, telegram.Target{Chat: "5512345"}, parts("x"), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(errors.Is(err, context.Canceled))
		_, err = b.Deliver(t.Context(), telegram.Target{Chat: "5512345"}, parts("x"), nil)
		is.NoErr(err)
		is.Equal(time.Since(begin).Round(time.Millisecond), time.Second)
	})
}

// A server with Telegram's rates, on the same virtual clock, has nothing to object to.
func TestABurst(t *testing.T) {
	const messages, chats, scripted = 1000, 60, 4
	bubble(t, "of 1000 messages to 60 chats takes hardly more than the rates ask for, and starves none", func(t *testing.T, is *is.I) {
		fake := telegramtest.New()
		fake.LimitRates()
		b := mustBot(t, telegram.Config{Token: fake.Token, HTTP: &http.Client{Transport: handled{fake}}})
		var ids []int64
		for i := range int64(chats) {
			c := telegramtest.Chat{ID: 5000 + i, Type: "private", Title: "x"}
			if i%3 == 0 { // as many as the rates of groups do not slow down
				c.ID, c.Type = -1000-i, "group"
			}
			fake.AddChat(c)
			ids = append(ids, c.ID)
		}
		for i := range scripted {
			fake.Script(telegramtest.Fault{Method: "sendMessage", Chat: fmt.Sprint(ids[i]), After: i, RetryAfter: 1 + i%2})
		}
		begin := time.Now()
		var all sync.WaitGroup
		var refused atomic.Int64
		for i := range messages {
			all.Go(func() {
				sent, err := b.Deliver(t.Context(), telegram.Target{Chat: fmt.Sprint(ids[i%chats])}, parts("x"), nil)
				if err != nil {
					t.Error(err)
					return
				}
				refused.Add(int64(sent[0].Attempts - 1))
			})
		}
		all.Wait()
		took := time.Since(begin)
		is.Equal(refused.Load(), int64(scripted)) // no 429 but those
		is.Equal(len(fake.Calls()), messages+scripted)

		of := func(n int, l rates.Limit) time.Duration { return time.Duration(max(0, n-l.Burst)) * l.Every }
		each := messages/chats + 1
		possible := max(of(messages, rates.Bot), of(each, rates.Chat), of(each, rates.Group))
		spread, pause := evenness(fake, ids[scripted:]) // without the chats that were held
		t.Logf("%d messages to %d chats: %v, %.2f %% over the %v that the rates ask for; no chat was more than %d messages behind another, nor waited longer than %v",
			messages, chats, took.Round(time.Millisecond), 100*(float64(took)/float64(possible)-1), possible.Round(time.Millisecond), spread, pause)
		is.True(took >= possible)
		is.True(took <= possible*103/100)
		is.True(spread <= rates.Chat.Burst+1)
		round := time.Duration(chats) * rates.Bot.Every // each chat once
		is.True(pause <= 2*round)
	})
}

// evenness is how many messages a chat was behind another at most, and the
// longest time between two messages of a chat.
func evenness(fake *telegramtest.Server, chats []int64) (spread int, pause time.Duration) {
	type arrival struct {
		chat int64
		at   time.Time
	}
	var all []arrival
	left := make(map[int64]int)
	for _, chat := range chats {
		messages := fake.Messages(chat)
		for i, m := range messages {
			all = append(all, arrival{chat, m.Date})
			if i > 0 {
				pause = max(pause, m.Date.Sub(messages[i-1].Date))
			}
		}
		left[chat] = len(messages)
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	for i, a := range all {
		left[a.chat]--
		if i+1 < len(all) && all[i+1].at.Equal(a.at) {
			continue // they went out together
		}
		least, most := slices.Min(slices.Collect(maps.Values(left))), slices.Max(slices.Collect(maps.Values(left)))
		spread = max(spread, most-least)
	}
	return spread, pause
}

// handled is a transport that asks a handler in the same process.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func TestGateForgetsChatsAtRest(t *testing.T) {
	bubble(t, "and only those", func(t *testing.T, is *is.I) {
		b, w := newWire(t, limits(5329), accepts)
		_, err := b.Deliver(t.Context(), target, parts("held"), nil)
		is.Equal(asError(t, err).Outcome, telegram.RateLimited)
		for i := range 2000 {
			_, err := b.Deliver(t.Context(), telegram.Target{Chat: fmt.Sprint(1000 + i)}, parts("x"), nil)
			is.NoErr(err)
		}
		is.True(telegram.GateSize(b) < 1200)
		_, err = b.Deliver(t.Context(), target, parts("held"), nil)
		is.Equal(asError(t, err).Outcome, telegram.RateLimited)
		is.Equal(len(w.got), 2001)
	})
}

func TestTheGateInMemory(t *testing.T) {
	gatetest.Test(t, func(*testing.T) telegram.Gate { return telegram.NewGate() })
}

func TestGateSpacesWhatItHeld(t *testing.T) {
	bubble(t, "all do not go out together when a hold ends", func(t *testing.T, is *is.I) {
		_, w := newWire(t, accepts)
		g := telegram.NewGate()
		b := mustBot(t, telegram.Config{Token: token, HTTP: w.client(), Gate: g})
		begin := time.Now()
		is.NoErr(g.Hold(t.Context(), "5512345", begin.Add(10*time.Second)))
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				_, err := b.Deliver(t.Context(), telegram.Target{Chat: "5512345"}, parts("x"), nil)
				is.NoErr(err)
			})
		}
		all.Wait()
		var at []time.Duration
		for _, r := range w.got {
			at = append(at, r.At.Sub(begin).Round(time.Millisecond))
		}
		is.Equal(at, []time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second, 11 * time.Second, 12 * time.Second, 13 * time.Second})
	})
}
