package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
)

// with is policy, changed.
func with(change func(*cache.Policy)) cache.Policy {
	p := policy
	change(&p)
	return p
}

// eventually polls until ok, for at most as long as no healthy run takes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// older begins a Get of "k" that loads until end has it answer.
func older(t *testing.T, numbers *cache.Cache[int], n int, err error) (end func()) {
	t.Helper()
	began, answer := make(chan bool), make(chan bool)
	var get sync.WaitGroup
	get.Go(func() {
		_, _ = numbers.Get(t.Context(), "k", func(context.Context) (int, error) { close(began); <-answer; return n, err })
	})
	<-began
	return func() { close(answer); get.Wait() }
}

// moreContract is the rest of what callers rely on.
var moreContract = map[string]func(*testing.T, process){
	"that there is no such thing is remembered for Missing": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", with(func(p *cache.Policy) { p.Missing = 10 * time.Second }))
		_, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		p.breakWith(fmt.Errorf("k: %w", cache.ErrNotFound))
		c.advance(time.Minute)
		for range 3 {
			_, err = names.Get(t.Context(), "k", p.load)
			is.True(errors.Is(err, cache.ErrNotFound)) // nothing stands in
			c.advance(3 * time.Second)
		}
		is.Equal(p.loads.Load(), int64(2))
		p.fail.Store(nil)
		c.advance(time.Second)
		_, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
	},
	"that there is no such thing is not remembered without Missing": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", policy)
		_, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		p.breakWith(cache.ErrNotFound)
		_, err = names.Refresh(t.Context(), "k", p.load)
		is.True(errors.Is(err, cache.ErrNotFound))
		p.breakWith(errors.New("away"))
		_, err = names.Get(t.Context(), "k", p.load)
		is.True(err != nil && !errors.Is(err, cache.ErrNotFound)) // loaded again, and the old value is gone
	},
	"a source that fails is left alone for Backoff": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", with(func(p *cache.Policy) { p.Backoff = 2 * time.Second }))
		away := errors.New("away")
		p.breakWith(away)
		for range 3 {
			_, err := names.Get(t.Context(), "k", p.load)
			is.True(errors.Is(err, away))
		}
		is.Equal(p.loads.Load(), int64(1))
		_, err := names.Refresh(t.Context(), "k", p.load)
		is.True(errors.Is(err, away))
		is.Equal(p.loads.Load(), int64(2)) // who asks for it is heard
		p.fail.Store(nil)
		c.advance(2 * time.Second)
		_, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)

		p.breakWith(away)
		c.advance(time.Minute)
		for range 3 {
			e, err := names.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.True(e.Stale)
			is.True(errors.Is(e.Err, away))
		}
		is.Equal(p.loads.Load(), int64(4))
	},
	"a source that hangs is left alone for as long as it hung": func(t *testing.T, start process) {
		is, c, loads := is.New(t), newClock(), 0
		names := cache.New[int](start(t, c), "names", with(func(p *cache.Policy) { p.Backoff = time.Second }))
		hang := func(context.Context) (int, error) {
			loads++
			c.advance(5 * time.Second)
			return 0, errors.New("time-out")
		}
		for range 3 {
			_, err := names.Get(t.Context(), "k", hang)
			is.True(err != nil)
			c.advance(2 * time.Second)
		}
		is.Equal(loads, 1) // its 5 s are not over
		_, err := names.Get(t.Context(), "k", hang)
		is.True(err != nil)
		is.Equal(loads, 2)
	},
	"what a Refresh found is not replaced by an older load": func(t *testing.T, start process) {
		for _, fault := range []error{nil, errors.New("away")} {
			is := is.New(t)
			numbers := cache.New[int](start(t, newClock()), "numbers", with(func(p *cache.Policy) { p.Backoff, p.LoadTimeout = time.Minute, 500*time.Millisecond }))
			end := older(t, numbers, 1, fault)
			two := func(context.Context) (int, error) { return 2, nil }
			_, err := numbers.Refresh(t.Context(), "k", two)
			is.NoErr(err)
			end()
			e, err := numbers.Get(t.Context(), "k", two)
			is.NoErr(err)
			is.Equal(e.Value, 2)
			is.True(!e.Stale)
			_ = numbers.Invalidate(t.Context())
		}
	},
	"a Refresh that fails leaves what a load finds meanwhile": func(t *testing.T, start process) {
		is := is.New(t)
		numbers := cache.New[int](start(t, newClock()), "numbers", with(func(p *cache.Policy) { p.Backoff, p.LoadTimeout = time.Minute, 500*time.Millisecond }))
		end := older(t, numbers, 1, nil)
		down := func(context.Context) (int, error) { return 0, errors.New("away") }
		_, err := numbers.Refresh(t.Context(), "k", down)
		is.True(err != nil)
		end()
		e, err := numbers.Get(t.Context(), "k", down)
		is.NoErr(err)
		is.Equal(e.Value, 1)
	},
	"what a Refresh learned ends what an earlier failure left": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", with(func(p *cache.Policy) { p.Backoff, p.Missing = time.Minute, time.Minute }))
		p.breakWith(errors.New("away"))
		_, err := names.Refresh(t.Context(), "k", p.load)
		is.True(err != nil)
		p.breakWith(cache.ErrNotFound)
		_, err = names.Refresh(t.Context(), "k", p.load)
		is.True(errors.Is(err, cache.ErrNotFound))
		_, err = names.Get(t.Context(), "k", p.load)
		is.True(errors.Is(err, cache.ErrNotFound))
	},
	"a load that never ends is given up": func(t *testing.T, start process) {
		is, stuck := is.New(t), make(chan bool)
		defer close(stuck)
		numbers := cache.New[int](start(t, newClock()), "numbers", with(func(p *cache.Policy) { p.LoadTimeout = 10 * time.Millisecond }))
		_, err := numbers.Get(t.Context(), "k", func(context.Context) (int, error) { <-stuck; return 1, nil })
		is.True(errors.Is(err, context.DeadlineExceeded))
		_, err = numbers.Get(t.Context(), "k", func(context.Context) (int, error) { return 2, nil })
		is.NoErr(err)
	},
	"an invalidation of a key is of those below it": func(t *testing.T, start process) {
		is := is.New(t)
		numbers := cache.New[int](start(t, newClock()), "numbers", policy)
		loads := 0
		get := func(key string) bool { // whether it was loaded
			before := loads
			_, err := numbers.Get(t.Context(), key, func(context.Context) (int, error) { loads++; return loads, nil })
			is.NoErr(err)
			return loads > before
		}
		keys := []string{"14", "14/60", "14/60/all", "145", "9/60"}
		for _, k := range keys {
			is.True(get(k))
		}
		_ = numbers.Invalidate(t.Context(), "14/60") // where Redis is away it says so
		for i, want := range []bool{false, true, true, false, false} {
			is.Equal(get(keys[i]), want)
		}
		_ = numbers.Invalidate(t.Context(), "14", "9/60")
		for i, want := range []bool{true, true, true, false, true} {
			is.Equal(get(keys[i]), want)
		}
		_ = numbers.Invalidate(t.Context())
		for _, k := range keys {
			is.True(get(k))
		}
	},
	"who comes after an invalidation does not wait for the load before it": func(t *testing.T, start process) {
		is, b := is.New(t), start(t, newClock())
		numbers := cache.New[int](b, "numbers", policy)
		begun, release := make(chan struct{}), make(chan struct{})
		first := make(chan cache.Entry[int])
		go func() {
			e, _ := numbers.Get(t.Context(), "k/1", func(context.Context) (int, error) { close(begun); <-release; return 1, nil })
			first <- e
		}()
		<-begun
		_ = numbers.Invalidate(t.Context(), "k")
		short, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		e, err := numbers.Get(short, "k/1", func(context.Context) (int, error) { return 2, nil })
		is.NoErr(err)
		is.Equal(e.Value, 2)
		close(release)
		is.Equal((<-first).Value, 1)
		e, err = numbers.Get(t.Context(), "k/1", func(context.Context) (int, error) { return 3, nil })
		is.NoErr(err)
		is.Equal(e.Value, 2) // the first was not stored over it
	},
	"past Soft a value is served and loaded anew in the background, once": func(t *testing.T, start process) {
		is, c := is.New(t), newClock()
		b := start(t, c)
		numbers := cache.New[int64](b, "numbers", with(func(p *cache.Policy) { p.Soft = 40 * time.Second }))
		var loads atomic.Int64
		release := make(chan struct{})
		load := func(context.Context) (int64, error) {
			n := loads.Add(1)
			if n > 1 {
				<-release
			}
			return n, nil
		}
		get := func() int64 {
			e, err := numbers.Get(t.Context(), "k", load)
			is.NoErr(err)
			is.True(!e.Stale)
			return e.Value
		}
		is.Equal(get(), int64(1))
		c.advance(39 * time.Second)
		is.Equal(get(), int64(1))
		is.Equal(loads.Load(), int64(1))
		c.advance(time.Second)
		for range 20 {
			is.Equal(get(), int64(1))
		}
		eventually(t, "the background load", func() bool { return loads.Load() == 2 })
		close(release)
		eventually(t, "the new value", func() bool { return get() == 2 })
		is.Equal(loads.Load(), int64(2))
		is.Equal(b.Stats().Refreshes, int64(1))
	},
	"Until ends freshness by the calendar": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		noon := c.now().Add(10 * time.Second)
		names := cache.New[[]string](start(t, c), "names", with(func(p *cache.Policy) {
			p.Until = func(at time.Time) time.Time {
				if at.Before(noon) {
					return noon
				}
				return noon.Add(24 * time.Hour)
			}
		}))
		for _, want := range []int64{1, 1, 2, 2} {
			_, err := names.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.Equal(p.loads.Load(), want)
			c.advance(5 * time.Second)
		}
		p.breakWith(errors.New("away"))
		c.advance(time.Minute)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.True(e.Stale)
	},
	"jitter shortens, and not by more than it may": func(t *testing.T, start process) {
		is, c := is.New(t), newClock()
		names := cache.New[int](start(t, c), "numbers", with(func(p *cache.Policy) { p.Jitter = 30 * time.Second }))
		loads := 0
		load := func(context.Context) (int, error) { loads++; return loads, nil }
		all := func() {
			for i := range 20 {
				_, err := names.Get(t.Context(), fmt.Sprint(i), load)
				is.NoErr(err)
			}
		}
		all()
		c.advance(29 * time.Second)
		all()
		is.Equal(loads, 20)
		c.advance(15 * time.Second)
		all()
		is.True(loads > 20 && loads < 40) // some, not all
	},
}
