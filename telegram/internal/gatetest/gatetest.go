// Package gatetest is what every Gate must do, whatever it keeps its places in.
//
// The clock is that of a bubble of testing/synctest: a busy machine changes no
// result, and an hour takes no time. A server is started outside of it, and goes
// by the same clock.
package gatetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/rates"
)

// Test runs the suite. Each call of open is in a bubble, and makes a Gate of a
// bot that has written nothing yet.
func Test(t *testing.T, open func(*testing.T) telegram.Gate) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(&gate{open(t), t, is.New(t)}) })
		})
	}
}

// gate is the one under test.
type gate struct {
	telegram.Gate
	t  *testing.T
	is *is.I
}

// exact is how far the rates of an implementation may be rounded.
const exact = 10 * time.Millisecond

// after lets time go by.
func after(d time.Duration) { <-time.After(d) }

// next passes, or says how long it would have to wait: a caller whose deadline
// leaves no room for that is told.
func (g *gate) next(chat string) time.Duration {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), rates.RequestTime)
	defer cancel()
	err := g.Wait(ctx, chat)
	if err == nil {
		return 0
	}
	limited, ok := errors.AsType[*telegram.Error](err)
	if !ok || limited.Outcome != telegram.RateLimited || limited.RetryAfter <= 0 {
		g.t.Errorf("Wait: %v; it should be a rate limit that says how long", err)
		return 0
	}
	return limited.RetryAfter.Round(exact)
}

// queue has n callers wait, one behind the other, and returns what makes those
// leave who still do.
func (g *gate) queue(n int, chat func(i int) string) (leave func()) {
	ctx, cancel := context.WithCancel(g.t.Context())
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { g.wait(ctx, chat(i)) })
		synctest.Wait()
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// pass waits in the background, and tells when it was let through.
func (g *gate) pass(chat string) <-chan time.Time {
	at := make(chan time.Time, 1)
	go func() {
		g.wait(g.t.Context(), chat)
		at <- time.Now()
	}()
	synctest.Wait()
	return at
}

// wait is for a caller who may leave.
func (g *gate) wait(ctx context.Context, chat string) {
	if err := g.Wait(ctx, chat); err != nil && !errors.Is(err, context.Canceled) {
		g.t.Error(err)
	}
}

// hold holds a chat, and returns until when.
func (g *gate) hold(chat string, d time.Duration) time.Time {
	until := time.Now().Add(d)
	g.is.NoErr(g.Hold(g.t.Context(), chat, until))
	return until
}

// strangers are chats of their own.
func strangers(i int) string { return fmt.Sprint(1000 + i) }
