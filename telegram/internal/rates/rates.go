// Package rates knows how fast a bot may write, for every gate alike.
package rates

import (
	"context"
	"strings"
	"time"
)

// Limit is a bucket of Burst places, of which one comes back Every so often.
type Limit struct {
	Every time.Duration
	Burst int
}

// Telegram's rates, as far as they are known; a 429 is always right against them.
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
var (
	Chat  = Limit{time.Second, 3}
	Group = Limit{time.Minute / 20, 20}
	Bot   = Limit{time.Second / 30, 30}
)

// IsGroup tells a group or channel, by id or name, from a person.
func IsGroup(chat string) bool {
	return strings.HasPrefix(chat, "-") || strings.HasPrefix(chat, "@")
}

// RequestTime is left of a deadline after any wait: a request that is cut short
// by it would be uncertain.
const RequestTime = time.Second

// Room is the longest wait after which a request still fits before ctx ends;
// bounded is false where it has no deadline.
func Room(ctx context.Context) (room time.Duration, bounded bool) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return 0, false
	}
	return max(0, time.Until(deadline)-RequestTime), true
}

// Pause waits, unless ctx ends first.
func Pause(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil || wait <= 0 {
		return err
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
