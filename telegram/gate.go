package telegram

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Gate says when the next write to a chat may go out. The one in memory serves
// a single process; replicas that share a bot share a Gate.
type Gate interface {
	// Wait returns when a message may be written to chat. An error stops the
	// delivery before the write; an *Error is passed on as it is, and any other
	// is the cause of one that is NotSent.
	Wait(ctx context.Context, chat string) error
	// Hold lets nothing more through to chat until then: Telegram answered 429.
	Hold(ctx context.Context, chat string, until time.Time) error
}

// Telegram's rates, as far as they are known; a 429 is always right against them.
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
const (
	chatEvery, chatBurst   = time.Second, 3
	groupEvery, groupBurst = time.Minute / 20, 20
	botEvery, botBurst     = time.Second / 30, 30
)

// sweepFrom is how many chats are kept before those at rest are forgotten.
const sweepFrom = 1024

// memoryGate is a Gate of token buckets, first come, first served.
type memoryGate struct {
	bot *rate.Limiter

	mu    sync.Mutex
	chats map[string]*chatGate
	sweep int // when there are so many
}

type chatGate struct {
	limits []*rate.Limiter
	held   time.Time
}

func newMemoryGate() *memoryGate {
	return &memoryGate{
		bot:   rate.NewLimiter(rate.Every(botEvery), botBurst),
		chats: make(map[string]*chatGate),
		sweep: sweepFrom,
	}
}

// Wait takes a place of the chat first and one of the bot last: who waits for a
// busy chat takes nothing from the others.
func (g *memoryGate) Wait(ctx context.Context, chat string) error {
	if err := take(ctx, g.limits(chat)...); err != nil {
		return err
	}
	if err := take(ctx, g.bot); err != nil {
		return err
	}
	for {
		held := time.Until(g.heldUntil(chat))
		if held <= 0 {
			return nil
		}
		if err := pause(ctx, held); err != nil {
			return err
		}
	}
}

func (g *memoryGate) Hold(_ context.Context, chat string, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.chat(chat); until.After(c.held) {
		c.held = until
	}
	return nil
}

func (g *memoryGate) limits(chat string) []*rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.chat(chat).limits
}

func (g *memoryGate) heldUntil(chat string) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.chat(chat).held
}

// chat finds or makes the state of a chat. The caller holds g.mu.
func (g *memoryGate) chat(name string) *chatGate {
	if c, ok := g.chats[name]; ok {
		return c
	}
	if len(g.chats) >= g.sweep {
		g.forget(time.Now())
		g.sweep = max(sweepFrom, 2*len(g.chats))
	}
	c := &chatGate{limits: []*rate.Limiter{rate.NewLimiter(rate.Every(chatEvery), chatBurst)}}
	if isGroup(name) {
		c.limits = append(c.limits, rate.NewLimiter(rate.Every(groupEvery), groupBurst))
	}
	g.chats[name] = c
	return c
}

// forget drops the chats that are as good as new.
func (g *memoryGate) forget(now time.Time) {
	for name, c := range g.chats {
		if c.atRest(now) {
			delete(g.chats, name)
		}
	}
}

func (c *chatGate) atRest(now time.Time) bool {
	for _, l := range c.limits {
		if l.TokensAt(now) < float64(l.Burst()) {
			return false
		}
	}
	return now.After(c.held)
}

// isGroup tells a group or channel, by id or name, from a person.
func isGroup(chat string) bool {
	return strings.HasPrefix(chat, "-") || strings.HasPrefix(chat, "@")
}

// take waits for a place in each of limits, and gives all back if ctx ends first.
func take(ctx context.Context, limits ...*rate.Limiter) error {
	now := time.Now()
	var wait time.Duration
	places := make([]*rate.Reservation, 0, 2)
	for _, l := range limits {
		place := l.ReserveN(now, 1)
		wait = max(wait, place.DelayFrom(now))
		places = append(places, place)
	}
	err := pause(ctx, wait)
	if err != nil {
		for _, place := range places {
			place.Cancel()
		}
	}
	return err
}

// requestTime is left of a deadline after any wait: a request that is cut short
// by it would be uncertain.
const requestTime = time.Second

// pause waits. It does not begin to where ctx would end before the request that
// follows.
func pause(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil || wait <= 0 {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait+requestTime {
		return &Error{Method: sendMessage, Outcome: RateLimited, RetryAfter: wait, Err: errNoPlace}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

var errNoPlace = errors.New("the rates of Telegram leave no place before the deadline")
