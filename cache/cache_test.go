package cache_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // of what the tests break
	testenv.Main(m)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// clock is a time that only the test moves.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ns.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// process opens a Backend as another process of the same service would.
type process func(t *testing.T, c *clock) *cache.Backend

func open(t *testing.T, cfg cache.Config) *cache.Backend {
	t.Helper()
	b, err := cache.Open(patient(cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// patient is cfg on a machine that tests share: what they prove must not hang on
// the 150 ms that Redis has elsewhere.
func patient(cfg cache.Config) cache.Config {
	cfg.Patience = 3 * time.Second
	return cfg
}

// TestContract holds every arrangement to what callers rely on.
func TestContract(t *testing.T) {
	for name, arrange := range map[string]func(*testing.T) process{
		"memory": func(*testing.T) process {
			return func(t *testing.T, c *clock) *cache.Backend { return open(t, cache.Config{Now: c.now}) }
		},
		"miniredis": func(t *testing.T) process {
			url := "redis://" + miniredis.RunT(t).Addr()
			return func(t *testing.T, c *clock) *cache.Backend { return open(t, cache.Config{URL: url, Now: c.now}) }
		},
		"Redis 8": func(t *testing.T) process {
			url := testenv.Redis(t)
			return func(t *testing.T, c *clock) *cache.Backend { return open(t, cache.Config{URL: url, Now: c.now}) }
		},
		"miniredis, nothing in memory": func(t *testing.T) process {
			url := "redis://" + miniredis.RunT(t).Addr()
			return func(t *testing.T, c *clock) *cache.Backend {
				return open(t, cache.Config{URL: url, Now: c.now, MaxBytes: -1})
			}
		},
		"Redis 8, nothing in memory": func(t *testing.T) process {
			url := testenv.Redis(t)
			return func(t *testing.T, c *clock) *cache.Backend {
				return open(t, cache.Config{URL: url, Now: c.now, MaxBytes: -1})
			}
		},
		"Redis away": func(t *testing.T) process {
			m := miniredis.RunT(t)
			url := "redis://" + m.Addr()
			m.Close()
			return func(t *testing.T, c *clock) *cache.Backend { return open(t, cache.Config{URL: url, Now: c.now}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := maps.Clone(contract)
			maps.Copy(all, moreContract)
			for what, test := range all {
				t.Run(what, func(t *testing.T) { test(t, arrange(t)) })
			}
		})
	}
}

// people counts its loads; fail makes them fail.
type people struct {
	loads atomic.Int64
	fail  atomic.Pointer[error]
}

func (p *people) load(context.Context) ([]string, error) {
	n := p.loads.Add(1)
	if err := p.fail.Load(); err != nil {
		return nil, *err
	}
	return []string{"Ana", strings.Repeat("x", int(n))}, nil
}

func (p *people) breakWith(err error) { p.fail.Store(&err) }

// policy does what the clock says, and tries each time.
var policy = cache.Policy{Fresh: time.Minute, Stale: time.Hour, Jitter: -1, Backoff: -1}

var contract = map[string]func(*testing.T, process){
	"a fresh value is served without a load": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", policy)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
		is.Equal(e.LoadedAt.UnixNano(), c.now().UnixNano())
		c.advance(59 * time.Second)
		e, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.True(e.Source != cache.Loaded)
		is.Equal(e.Value, []string{"Ana", "x"})
		is.True(!e.Stale)
		is.Equal(p.loads.Load(), int64(1))
	},
	"a value past its time is loaded anew": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", policy)
		_, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		c.advance(time.Minute)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
		is.Equal(e.Value[1], "xx")
	},
	"an old value stands in while loading fails, up to its limit": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", policy)
		loaded := c.now()
		_, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		away := errors.New("away")
		p.breakWith(away)
		c.advance(time.Hour)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.True(e.Stale)
		is.True(errors.Is(e.Err, away))
		is.Equal(e.LoadedAt.Unix(), loaded.Unix())
		is.Equal(e.Value[1], "x")
		c.advance(time.Minute)
		_, err = names.Get(t.Context(), "k", p.load)
		is.True(errors.Is(err, away)) // too old by now
	},
	"errors are not kept": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", policy)
		p.breakWith(errors.New("away"))
		_, err := names.Get(t.Context(), "k", p.load)
		is.True(err != nil)
		p.fail.Store(nil)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Value[0], "Ana")
	},
	"refresh replaces, and keeps the old value when it fails": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", policy)
		_, err := names.Refresh(t.Context(), "k", p.load)
		is.NoErr(err)
		e, err := names.Refresh(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Source, cache.Loaded)
		p.breakWith(errors.New("away"))
		e, err = names.Refresh(t.Context(), "k", p.load)
		is.NoErr(err)
		is.True(e.Stale && e.Err != nil)
		is.Equal(e.Value[1], "xx")
		e, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.Equal(e.Value[1], "xx") // still there
	},
	"one load serves all who wait, and outlives who leaves": func(t *testing.T, start process) {
		is := is.New(t)
		names := cache.New[int](start(t, newClock()), "numbers", policy)
		var loads atomic.Int64
		begun, release := make(chan struct{}), make(chan struct{})
		load := func(ctx context.Context) (int, error) {
			if loads.Add(1) == 1 {
				close(begun)
			}
			<-release
			return 7, ctx.Err()
		}
		leaving, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { _, err := names.Get(leaving, "k", load); left <- err }()
		<-begun
		leave()
		is.True(errors.Is(<-left, context.Canceled))
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				e, err := names.Get(t.Context(), "k", load)
				if err != nil || e.Value != 7 {
					t.Errorf("got %v, %v", e.Value, err)
				}
			})
		}
		close(release)
		wait.Wait()
		is.Equal(loads.Load(), int64(1))
	},
	"a load that ends its goroutine is an error, and the key lives on": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", policy)
		_, err := names.Get(t.Context(), "k", func(context.Context) ([]string, error) { runtime.Goexit(); return nil, nil })
		is.True(errors.Is(err, cache.ErrPanic))
		_, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
	},
	"for ever is a long time": func(t *testing.T, start process) {
		is, c, p := is.New(t), newClock(), new(people)
		names := cache.New[[]string](start(t, c), "names", cache.Policy{
			Fresh: math.MaxInt64, Stale: math.MaxInt64, Until: func(time.Time) time.Time { return time.Time{} },
		})
		_, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		c.advance(10 * 365 * 24 * time.Hour)
		e, err := names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
		is.True(e.Source != cache.Loaded)
	},
	"a load that panics is an error, and the key lives on": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", policy)
		_, err := names.Get(t.Context(), "k", func(context.Context) ([]string, error) { panic("secreto") })
		is.True(errors.Is(err, cache.ErrPanic))
		is.True(!strings.Contains(err.Error(), "secreto"))
		_, err = names.Get(t.Context(), "k", p.load)
		is.NoErr(err)
	},
	"without Fresh nothing is kept": func(t *testing.T, start process) {
		is, p := is.New(t), new(people)
		names := cache.New[[]string](start(t, newClock()), "names", cache.Policy{Stale: time.Hour})
		for range 2 {
			e, err := names.Get(t.Context(), "k", p.load)
			is.NoErr(err)
			is.Equal(e.Source, cache.Loaded)
		}
		p.breakWith(errors.New("away"))
		_, err := names.Get(t.Context(), "k", p.load)
		is.True(err != nil)
	},
	"names are apart, keys too": func(t *testing.T, start process) {
		is, b := is.New(t), start(t, newClock())
		one, two := cache.New[int](b, "one", policy), cache.New[int](b, "two", policy)
		n := 0
		next := func(context.Context) (int, error) { n++; return n, nil }
		for want, get := range []func() (cache.Entry[int], error){
			func() (cache.Entry[int], error) { return one.Get(t.Context(), "a", next) },
			func() (cache.Entry[int], error) { return one.Get(t.Context(), "b", next) },
			func() (cache.Entry[int], error) { return two.Get(t.Context(), "a", next) },
		} {
			e, err := get()
			is.NoErr(err)
			is.Equal(e.Value, want+1)
		}
	},
	"an invalidation during a load wins": func(t *testing.T, start process) {
		is, c := is.New(t), newClock()
		b := start(t, c)
		numbers := cache.New[int](b, "numbers", policy)
		n := 0
		e, err := numbers.Get(t.Context(), "k", func(ctx context.Context) (int, error) {
			n++
			_ = b.Invalidate(ctx, "numbers") // fails where Redis is away, and counts here all the same
			return n, nil
		})
		is.NoErr(err)
		is.Equal(e.Value, 1)
		e, err = numbers.Get(t.Context(), "k", func(context.Context) (int, error) { n++; return n, nil })
		is.NoErr(err)
		is.Equal(e.Value, 2) // the first was not kept
	},
}

func TestNamesShareTheMemory(t *testing.T) {
	is := is.New(t)
	const maxBytes, room = 64 << 10, 32 << 10
	b := open(t, cache.Config{MaxBytes: maxBytes})
	load := func(size int) cache.Load[string] {
		return func(context.Context) (string, error) { return strings.Repeat("x", size), nil }
	}
	one := cache.New[string](b, "one", policy)
	_, err := one.Get(t.Context(), "k", load(room+room/2)) // with one name it has room
	is.NoErr(err)
	is.Equal(b.Stats().Entries, int64(1))

	two := cache.New[string](b, "two", policy)
	eventually(t, "it is too large for half of the memory", func() bool { s := b.Stats(); return s.Entries == 0 && s.Evictions == 1 })
	for _, c := range []*cache.Cache[string]{one, two} {
		for i := range 100 {
			_, err := c.Get(t.Context(), strconv.Itoa(i), load(1<<10))
			is.NoErr(err)
		}
	}
	eventually(t, "what there is no room for goes", func() bool { s := b.Stats(); return s.Bytes <= maxBytes && s.Evictions == 1+200-s.Entries })
	is.True(b.Stats().Entries > 40) // and not much more
	e, err := two.Get(t.Context(), "large", load(room+1))
	is.NoErr(err)
	is.Equal(len(e.Value), room+1) // served, though not kept
}

func TestBadUseIsAnErrorThatNamesIt(t *testing.T) {
	is := is.New(t)
	for want, cfg := range map[string]cache.Config{
		"Config.URL and Config.Redis": {URL: "redis://x", Redis: newClient(t)},
		"is not a Redis address":      {URL: "http://:s3creto@x"},
		"Config.URL is not a":         {URL: "redis://:s3creto%zz@x"},
		"Config.MaxBytes":             {MaxBytes: -1},
		"Config.Patience":             {Patience: -1},
		"Config.Prefix":               {Prefix: "{x}"},
		"Config.Codec":                {Codec: named("with blank")},
		"Config.URL is not a Redis":   {URL: "redis://:s3creto@x?master_name=m&s3creto=1"},
		"Config.URL is not":           {URL: "redis://:s3creto@x?addr=s3creto"},
	} {
		_, err := cache.Open(cfg)
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), want))
		is.True(!strings.Contains(err.Error(), "s3creto"))
	}
	b := open(t, cache.Config{})
	p := new(people)
	_, err := cache.New[[]string](b, "", policy).Get(t.Context(), "k", p.load)
	is.True(err != nil) // no name
	for want, p := range map[string]cache.Policy{
		"Policy.Fresh": {Fresh: -1}, "Policy.Stale": {Stale: -1}, "Policy.Soft": {Soft: -1}, "Policy.Memory": {Memory: -1},
		"Policy.Missing": {Missing: -1}, "Policy.LoadTimeout": {LoadTimeout: -1},
		"Soft is 2s: it must not be longer than Fresh, 1s": {Fresh: time.Second, Soft: 2 * time.Second},
		"Policy.Jitter": {Fresh: time.Second, Jitter: 2 * time.Second},
	} {
		n := cache.New[[]string](b, "n", p)
		_, err = n.Refresh(t.Context(), "k", new(people).load)
		is.True(strings.Contains(err.Error(), want))
		is.True(strings.Contains(n.Invalidate(t.Context()).Error(), want))
	}
	_, err = cache.New[[]string](b, "n{}", policy).Get(t.Context(), "k", p.load)
	is.True(err != nil) // braces
	is.True(cache.New[[]string](b, "n", policy).Invalidate(t.Context(), "") != nil)
	_, err = cache.New[[]string](b, "n", policy).Get(t.Context(), "", p.load)
	is.True(err != nil) // no key
	deep, long := strings.Repeat("/", cache.MaxLevels)+"k", strings.Repeat("k", cache.MaxKey+1)
	for key, want := range map[string]string{deep: "17 levels", long: "1025 bytes"} {
		n := cache.New[[]string](b, "n", policy)
		_, err = n.Get(t.Context(), key, p.load)
		is.True(err != nil && strings.Contains(err.Error(), want))
		_, err = n.Refresh(t.Context(), key, p.load)
		is.True(err != nil && strings.Contains(err.Error(), want))
		err = n.Invalidate(t.Context(), key)
		is.True(err != nil && strings.Contains(err.Error(), want))
		_, err = n.Get(t.Context(), key[1:], p.load)
		is.NoErr(err)
	}
	for _, name := range []string{"", "n{}", "n\n"} {
		is.True(b.Invalidate(t.Context(), name) != nil)
	}
	_, err = cache.New[[]string](b, "n", policy).Get(t.Context(), "k", nil)
	is.True(err != nil) // no load
	is.NoErr(b.Ping(t.Context()))
}

// named is a codec by another name.
type named string

func (n named) Name() string                     { return string(n) }
func (named) Marshal(v any) ([]byte, error)      { return cache.JSON{}.Marshal(v) }
func (named) Unmarshal(data []byte, v any) error { return cache.JSON{}.Unmarshal(data, v) }

// explosive is a codec that panics, and quitting one that ends its goroutine.
type (
	explosive struct{ cache.JSON }
	quitting  struct{ cache.JSON }
)

func (explosive) Marshal(any) ([]byte, error) { panic("secreto") }
func (quitting) Marshal(any) ([]byte, error)  { runtime.Goexit(); return nil, nil }

func TestACodecOrUntilThatPanicsIsAnError(t *testing.T) {
	is, p := is.New(t), new(people)
	until := policy
	until.Until = func(time.Time) time.Time { panic("secreto") }
	server := miniredis.RunT(t)
	for _, names := range []*cache.Cache[[]string]{
		cache.New[[]string](open(t, cache.Config{Codec: explosive{}}), "names", policy),
		cache.New[[]string](open(t, cache.Config{Codec: quitting{}}), "names", policy),
		cache.New[[]string](open(t, cache.Config{Codec: explosive{}, URL: "redis://" + server.Addr()}), "names", policy),
		cache.New[[]string](open(t, cache.Config{}), "names", until),
	} {
		for range 2 { // the key is not stuck
			_, err := names.Get(t.Context(), "k", p.load)
			is.True(errors.Is(err, cache.ErrPanic))
			is.True(!strings.Contains(err.Error(), "secreto"))
			is.True(!server.Exists("ccm:{names}:lock:k")) // nor for others
		}
	}
}

func TestWithoutMissingNothingIsRemembered(t *testing.T) {
	is, p := is.New(t), new(people)
	names := cache.New[[]string](open(t, cache.Config{}), "names", policy)
	p.breakWith(cache.ErrNotFound)
	for n := range int64(100) { // by the system's clock, which a hit does not read
		_, err := names.Get(t.Context(), "k", p.load)
		is.True(errors.Is(err, cache.ErrNotFound))
		is.Equal(p.loads.Load(), n+1)
	}
}

func TestManyNamesInLittleMemory(t *testing.T) {
	is, p := is.New(t), new(people)
	b := open(t, cache.Config{MaxBytes: 1})
	p.breakWith(errors.New("away"))
	for i := range 2000 {
		names := cache.New[[]string](b, strconv.Itoa(i), with(func(p *cache.Policy) { p.Backoff = time.Minute }))
		for range 2 {
			_, err := names.Get(t.Context(), "k", p.load)
			is.True(err != nil)
		}
	}
	is.Equal(p.loads.Load(), int64(2000)) // what failed is left alone all the same
}
