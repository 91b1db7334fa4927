// Package gatetest is what every Gate must do, whatever it keeps its places in.
//
// It asks how long the next wait would be instead of waiting: a caller whose
// deadline leaves no room is told.
package gatetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/rates"
)

const (
	person = "5512345"
	group  = "-1001234567890"
)

// Test runs the suite. Each call of open makes a Gate of a bot that has written
// nothing yet.
func Test(t *testing.T, open func(*testing.T) telegram.Gate) {
	run := func(name string, test func(*testing.T, *is.I, telegram.Gate)) {
		t.Run(name, func(t *testing.T) { test(t, is.New(t), open(t)) })
	}
	run("a chat gets a burst, then one a second", func(t *testing.T, is *is.I, g telegram.Gate) {
		for range rates.Chat.Burst {
			is.Equal(next(t, g, person), time.Duration(0))
		}
		wait := next(t, g, person)
		is.True(wait > 0 && wait <= time.Second)
		is.Equal(next(t, g, "5512346"), time.Duration(0)) // another chat
	})
	run("who comes together gets no more", func(t *testing.T, is *is.I, g telegram.Gate) {
		var all sync.WaitGroup
		var passed atomic.Int32
		for range 50 {
			all.Go(func() {
				if next(t, g, person) == 0 {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		is.Equal(passed.Load(), int32(rates.Chat.Burst))
	})
	run("a group gets 20 a minute, and who leaves gives the place back", func(t *testing.T, is *is.I, g telegram.Gate) {
		leave := queue(t, g, 40, func(int) string { return group })
		between(t, g, group, 55*time.Second, 75*time.Second) // (41-20)*3, and what the probes took
		leave()
		between(t, g, group, 0, time.Second)
	})
	run("all chats together get 30 a second, and who leaves gives the place back", func(t *testing.T, is *is.I, g telegram.Gate) {
		leave := queue(t, g, 300, func(i int) string { return fmt.Sprint(1000 + i) })
		between(t, g, "999", 3*time.Second, 10*time.Second) // (301-30)/30, and less on a slow machine
		leave()
		between(t, g, "999", 0, 100*time.Millisecond)
	})
	run("a busy chat takes nothing from the others", func(t *testing.T, is *is.I, g telegram.Gate) {
		defer queue(t, g, 100, func(int) string { return person })()
		between(t, g, person, 90*time.Second, 105*time.Second)
		for i := range 20 {
			is.Equal(next(t, g, fmt.Sprint(2000+i)), time.Duration(0))
		}
	})
	run("who finds no place of the bot keeps none of the chat", func(t *testing.T, is *is.I, g telegram.Gate) {
		leave := queue(t, g, 300, func(i int) string { return fmt.Sprint(1000 + i) })
		between(t, g, "999", 3*time.Second, 10*time.Second)
		for range 10 {
			is.True(next(t, g, person) > time.Second)
		}
		leave()
		between(t, g, person, 0, 100*time.Millisecond)
	})
	run("a chat whose messages waited for the bot does not get them all at once", func(t *testing.T, is *is.I, g telegram.Gate) {
		defer queue(t, g, 80, func(i int) string { return fmt.Sprint(1000 + i) })()
		between(t, g, "999", 300*time.Millisecond, 1700*time.Millisecond) // less, the slower the machine
		at := make(chan time.Time, rates.Chat.Burst+1)
		for range cap(at) {
			go func() {
				if err := g.Wait(t.Context(), person); err != nil {
					t.Error(err)
				}
				at <- time.Now()
			}()
		}
		first, last := <-at, time.Time{}
		for range cap(at) - 1 {
			last = <-at
		}
		is.True(last.Sub(first) > rates.Chat.Every-50*time.Millisecond)
	})
	run("a hold is of one chat, and a shorter one does not end it", func(t *testing.T, is *is.I, g telegram.Gate) {
		is.NoErr(g.Hold(t.Context(), person, time.Now().Add(5329*time.Second)))
		is.NoErr(g.Hold(t.Context(), person, time.Now().Add(time.Second)))
		is.NoErr(g.Hold(t.Context(), person, time.Now().Add(-time.Second)))
		wait := next(t, g, person)
		is.True(wait > 5300*time.Second && wait <= 5329*time.Second)
		is.Equal(next(t, g, group), time.Duration(0))
	})
	run("a hold is waited out, also by who had a place already", func(t *testing.T, is *is.I, g telegram.Gate) {
		for range rates.Chat.Burst {
			is.Equal(next(t, g, person), time.Duration(0))
		}
		passed := make(chan error, 1)
		go func() { passed <- g.Wait(t.Context(), person) }()
		between(t, g, person, 1500*time.Millisecond, 2*time.Second) // it has the place of in a second
		until := time.Now().Add(1200 * time.Millisecond)
		is.NoErr(g.Hold(t.Context(), person, until))
		is.NoErr(<-passed)
		is.True(time.Until(until) < 5*time.Millisecond) // clocks may differ by a little
	})
	run("a hold is waited out, also by who waits for the bot", func(t *testing.T, is *is.I, g telegram.Gate) {
		defer queue(t, g, 80, func(i int) string { return fmt.Sprint(1000 + i) })()
		between(t, g, "999", 300*time.Millisecond, 1700*time.Millisecond) // less, the slower the machine
		passed := make(chan error, 1)
		go func() { passed <- g.Wait(t.Context(), person) }()
		between(t, g, "999", time.Second, 1700*time.Millisecond) // it waits by now
		until := time.Now().Add(2 * time.Second)
		is.NoErr(g.Hold(t.Context(), person, until))
		is.NoErr(<-passed)
		is.True(time.Until(until) < 5*time.Millisecond)
	})
	run("who has gone already takes nothing", func(t *testing.T, is *is.I, g telegram.Gate) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 {
			is.True(errors.Is(g.Wait(ctx, person), context.Canceled))
		}
		is.Equal(next(t, g, person), time.Duration(0))
	})
}

// next passes g, or says how long it would have to wait.
func next(t *testing.T, g telegram.Gate, chat string) time.Duration {
	t.Helper()
	const little = 100 * time.Millisecond // for the calls themselves
	err := context.DeadlineExceeded
	for tries := 0; tries < 10 && errors.Is(err, context.DeadlineExceeded); tries++ { // a busy machine may take longer
		ctx, cancel := context.WithTimeout(context.Background(), rates.RequestTime+little)
		err = g.Wait(ctx, chat)
		cancel()
	}
	if err == nil {
		return 0
	}
	limited, ok := errors.AsType[*telegram.Error](err)
	if !ok || limited.Outcome != telegram.RateLimited || limited.RetryAfter <= 0 {
		t.Errorf("Wait: %v; it should be a rate limit that says how long", err)
		return 0
	}
	return limited.RetryAfter
}

// between polls until the next wait is in a range.
func between(t *testing.T, g telegram.Gate, chat string, min, max time.Duration) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(10 * time.Second)
	for {
		wait := next(t, g, chat)
		if min <= wait && wait <= max {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("the next wait is %v, not between %v and %v", wait, min, max)
		}
	}
}

// queue has n callers wait, and returns what makes them leave.
func queue(t *testing.T, g telegram.Gate, n int, chat func(i int) string) (leave func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := g.Wait(ctx, chat(i)); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}
