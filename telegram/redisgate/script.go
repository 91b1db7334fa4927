package redisgate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/telegram/internal/rates"
)

//go:embed places.lua
var places string

var script = redis.NewScript(places)

var errAway = errors.New("no answer of Redis")

// place is what the script answers.
type place struct {
	wait  time.Duration
	state int64
}

// The states of a place.
const (
	isTaken   = iota // for when wait is over
	isHeld           // the chat is, for wait
	noRoom           // wait is over only after the deadline
	isCrowded        // the chat has no place then; it has one later by wait
)

// take asks for a place in each of buckets, and again as long as the chat is
// crowded.
func (g *Gate) take(ctx context.Context, do, chat string, buckets []bucket) (place, error) {
	for {
		room := int64(-1)
		if left, bounded := rates.Room(ctx); bounded {
			room = micros(left)
		}
		keys, args := []string{g.holdKey(chat)}, []any{do, room}
		for _, b := range buckets {
			keys, args = append(keys, b.key), append(args, micros(b.Every), b.Burst)
		}
		p, err := g.run(ctx, keys, args...)
		switch {
		case err != nil:
			return p, err
		case p.state == noRoom:
			return p, noPlace(p.wait)
		case p.state != isCrowded:
			return p, nil
		}
		if err := sitOut(ctx, p.wait); err != nil {
			return p, err
		}
	}
}

// giveBack frees what was taken, also for a caller who has gone. Where that
// fails, the places go by in vain.
func (g *Gate) giveBack(ctx context.Context, buckets []bucket) {
	if len(buckets) == 0 {
		return
	}
	keys, args := []string(nil), []any{"give"}
	for _, b := range buckets {
		keys, args = append(keys, b.key), append(args, micros(b.Every))
	}
	_, _ = g.run(context.WithoutCancel(ctx), keys, args...)
}

// run runs the script. Its error is the caller's context's, or errAway.
func (g *Gate) run(ctx context.Context, keys []string, args ...any) (place, error) {
	if err := ctx.Err(); err != nil {
		return place{}, err
	}
	if time.Now().UnixNano() < g.back.Load() {
		return place{}, errAway
	}
	bounded, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	answer, err := g.script.Run(bounded, g.client, keys, args...).Int64Slice()
	if err == nil && len(answer) == 2 {
		return place{time.Duration(answer[0]) * time.Microsecond, answer[1]}, nil
	}
	if over := overOf(ctx); over != nil {
		return place{}, over // that is not Redis' fault
	}
	g.back.Store(time.Now().Add(absence).UnixNano())
	return place{}, fmt.Errorf("%w: %w", errAway, err)
}

// overOf is the error of a context that has ended, also where a connection noticed
// its deadline before the context did.
func overOf(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// micros rounds up, so that no rate is exceeded by rounding.
func micros(d time.Duration) int64 {
	n := int64(d / time.Microsecond)
	if d%time.Microsecond > 0 {
		n++
	}
	return n
}
