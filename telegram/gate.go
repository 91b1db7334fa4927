package telegram

import (
	"context"
	"errors"
	"math"
	"strings"
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
	// ctx is not begun: it is an *Error that is RateLimited, and says how long. A
	// nil ctx is ErrInvalid.
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

// chatGate is a queue with a turn. Who has the turn waits for the chat, then for
// a place of the bot, and takes one of the chat only then: those of a busy chat
// take nothing from the others, and those who waited long for the bot do not go
// out together.
type chatGate struct {
	turn   chan struct{} // holds who has it
	limits []*rate.Limiter

	mu      sync.Mutex
	waiting int // who has the turn too
	held    time.Time
}

func newMemoryGate() *memoryGate {
	return &memoryGate{
		bot:   newLimiter(rates.Bot),
		chats: make(map[string]*chatGate),
		sweep: sweepFrom,
	}
}

func newLimiter(l rates.Limit) *rate.Limiter { return rate.NewLimiter(rate.Every(l.Every), l.Burst) }

func (g *memoryGate) Wait(ctx context.Context, chat string) error {
	if ctx == nil {
		return errNilContext
	}
	c := g.enter(chat)
	defer c.leave()
	if err := c.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { <-c.turn }()
	for {
		if err := pause(ctx, c.wait(1)); err != nil {
			return err
		}
		if err := takeOne(ctx, g.bot); err != nil {
			return err
		}
		if c.pass() {
			return nil
		}
		giveBack(g.bot) // it was held meanwhile
	}
}

func (g *memoryGate) Hold(_ context.Context, chat string, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.chat(chat)
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.held) {
		c.held = until
	}
	return nil
}

// enter joins the queue of a chat.
func (g *memoryGate) enter(chat string) *chatGate {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.chat(chat)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	return c
}

// chat finds or makes the state of a chat: @Canal is @canal. The caller holds g.mu.
func (g *memoryGate) chat(name string) *chatGate {
	name = strings.ToLower(name)
	if c, ok := g.chats[name]; ok {
		return c
	}
	if len(g.chats) >= g.sweep {
		g.forget(time.Now())
		g.sweep = max(sweepFrom, 2*len(g.chats))
	}
	c := &chatGate{turn: make(chan struct{}, 1), limits: []*rate.Limiter{newLimiter(rates.Chat)}}
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
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.limits {
		if l.TokensAt(now) < float64(l.Burst()) {
			return false
		}
	}
	return c.waiting == 0 && now.After(c.held)
}

func (c *chatGate) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
}

// takeTurn waits for the turn, unless the chat alone would take too long to get
// through the queue.
func (c *chatGate) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	ahead := c.waiting
	c.mu.Unlock()
	wait := c.wait(ahead)
	late := make(<-chan time.Time) // never
	if room, bounded := rates.Room(ctx); bounded {
		if wait > room {
			return noPlace(wait)
		}
		timer := time.NewTimer(room)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case c.turn <- struct{}{}: // who is first finds it free, whatever the room
		return nil
	default:
	}
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-late:
		return noPlace(max(c.wait(ahead), rates.Chat.Every)) // it was the bot's queue that took long
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait is how long it is until the chat has taken n more messages, as far as it
// alone decides.
func (c *chatGate) wait(n int) time.Duration {
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	now := time.Now()
	wait := held.Sub(now)
	for _, l := range c.limits {
		missing := float64(n) - l.TokensAt(now)
		wait = max(wait, time.Duration(math.Ceil(missing/float64(l.Limit())*float64(time.Second))))
	}
	return max(0, wait)
}

// pass takes a place of the chat, for now. Only who has the turn may.
func (c *chatGate) pass() bool {
	if c.wait(1) > 0 {
		return false
	}
	now := time.Now()
	for _, l := range c.limits {
		l.AllowN(now, 1)
	}
	return true
}

// takeOne waits for a place of l, and gives it back if ctx ends first.
func takeOne(ctx context.Context, l *rate.Limiter) error {
	now := time.Now()
	err := pause(ctx, l.ReserveN(now, 1).DelayFrom(now))
	if err != nil {
		giveBack(l)
	}
	return err
}

// giveBack puts a place back into l. Reservation.Cancel does not, where others
// queued up behind it.
func giveBack(l *rate.Limiter) { l.ReserveN(time.Now(), -1) }

// pause waits. It does not begin to where ctx would end before the request that
// follows.
func pause(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil || wait <= 0 {
		return err
	}
	if room, bounded := rates.Room(ctx); bounded && wait > room {
		return noPlace(wait)
	}
	return rates.Pause(ctx, wait)
}

func noPlace(wait time.Duration) *Error {
	return &Error{Method: sendMessage, Outcome: RateLimited, RetryAfter: wait, Err: errNoPlace}
}

var errNoPlace = errors.New("the rates of Telegram leave no place before the deadline")
