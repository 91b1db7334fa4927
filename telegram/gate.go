package telegram

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ccmwf/ccm/telegram/internal/rates"
)

// Gate says when the next write to a chat may go out. The one in memory serves
// a single process; replicas that share a bot share a Gate, such as the one in
// Redis of [github.com/ccmwf/ccm/telegram/redisgate].
type Gate interface {
	// Wait returns when a message may be written to chat. An error stops the
	// delivery before the write; an *Error is passed on as it is, and any other
	// is the cause of one that is NotSent. A wait that goes beyond the deadline of
	// ctx is not begun: it is an *Error that is RateLimited, and says how long.
	Wait(ctx context.Context, chat string) error
	// Hold lets nothing more through to chat until then: Telegram answered 429.
	Hold(ctx context.Context, chat string, until time.Time) error
}

// sweepFrom is how many chats are kept before those at rest are forgotten.
const sweepFrom = 1024

// NewGate makes a Gate in memory, as a Bot has by itself: about 1 message a
// second in a chat, 20 a minute in a group, 30 a second altogether, each with a
// burst. It is for programs that wait before a [Bot.Call] too, and for gates that
// need one to fall back on.
func NewGate() Gate { return newMemoryGate() }

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
		bot:   newLimiter(rates.Bot),
		chats: make(map[string]*chatGate),
		sweep: sweepFrom,
	}
}

func newLimiter(l rates.Limit) *rate.Limiter { return rate.NewLimiter(rate.Every(l.Every), l.Burst) }

// Wait takes a place of the chat first and one of the bot last: who waits for a
// busy chat takes nothing from the others. Who finds the chat held once it is
// there queues again, so that not all go out together when the hold ends.
func (g *memoryGate) Wait(ctx context.Context, chat string) error {
	for {
		if err := pause(ctx, time.Until(g.heldUntil(chat))); err != nil {
			return err
		}
		limits := g.limits(chat)
		if err := take(ctx, limits...); err != nil {
			return err
		}
		if err := take(ctx, g.bot); err != nil {
			giveBack(limits...)
			return err
		}
		if time.Until(g.heldUntil(chat)) <= 0 {
			return nil
		}
		giveBack(append(limits[:len(limits):len(limits)], g.bot)...)
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
	c := &chatGate{limits: []*rate.Limiter{newLimiter(rates.Chat)}}
	if rates.IsGroup(name) {
		c.limits = append(c.limits, newLimiter(rates.Group))
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

// take waits for a place in each of limits, and gives all back if ctx ends first.
func take(ctx context.Context, limits ...*rate.Limiter) error {
	now := time.Now()
	var wait time.Duration
	for _, l := range limits {
		wait = max(wait, l.ReserveN(now, 1).DelayFrom(now))
	}
	err := pause(ctx, wait)
	if err != nil {
		giveBack(limits...)
	}
	return err
}

// giveBack puts a place back into each of limits. Reservation.Cancel does not,
// where others queued up behind it.
func giveBack(limits ...*rate.Limiter) {
	now := time.Now()
	for _, l := range limits {
		l.ReserveN(now, -1)
	}
}

// pause waits. It does not begin to where ctx would end before the request that
// follows.
func pause(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil || wait <= 0 {
		return err
	}
	if room, bounded := rates.Room(ctx); bounded && wait > room {
		return &Error{Method: sendMessage, Outcome: RateLimited, RetryAfter: wait, Err: errNoPlace}
	}
	return rates.Pause(ctx, wait)
}

var errNoPlace = errors.New("the rates of Telegram leave no place before the deadline")
