package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"pgregory.net/rapid"

	"github.com/ccmwf/ccm/cache"
)

// model is what a cache is to those who use it: per key the last thing that was
// loaded, unless it was invalidated.
type model struct {
	clock  *clock
	redis  *miniredis.Miniredis // nil: memory only
	open   func() *cache.Backend
	policy cache.Policy

	replicas []*cache.Backend
	entries  map[string]modelEntry
	source   map[string]int // what a load finds now; negative: no such thing
	away     bool           // the source
	loads    int
	told     int // how often all replicas had heard everything
}

type modelEntry struct {
	value int
	at    time.Time
}

var modelKeys = []string{"14", "14/60", "14/60/all", "145", "9"}

func (m *model) load(key string) cache.Load[int] {
	return func(context.Context) (int, error) {
		m.loads++
		switch v := m.source[key]; {
		case m.away:
			return 0, errAway
		case v < 0:
			return 0, cache.ErrNotFound
		default:
			return v, nil
		}
	}
}

func (m *model) on(replica int) *cache.Cache[int] {
	return cache.New[int](m.replicas[replica], "numbers", m.policy)
}

// hear waits until all replicas have heard what one told them last: a message takes
// a moment, in which they still believe what they know. Messages keep their order,
// so that one about a name of its own is the last.
func (m *model) hear(t *rapid.T, from int) {
	if m.redis == nil {
		return
	}
	m.told++
	probe := func(replica int) *cache.Cache[int] {
		return cache.New[int](m.replicas[replica], "told", cache.Policy{Fresh: 1000 * time.Hour, Memory: 1000 * time.Hour})
	}
	if err := probe(from).Invalidate(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range m.replicas {
		for {
			e, err := probe(i).Get(context.Background(), "last", func(context.Context) (int, error) { return m.told, nil })
			if err != nil {
				t.Fatal(err)
			}
			if e.Value == m.told {
				break
			}
		}
	}
}

// ask asks a replica, and says what a user may expect.
func (m *model) ask(refresh bool) func(*rapid.T) {
	return func(t *rapid.T) {
		// Of two loads in one microsecond Redis cannot tell which is newer: what a
		// replica has then counts until it hears of the other.
		m.clock.advance(time.Microsecond)
		key := rapid.SampledFrom(modelKeys).Draw(t, "key")
		replica := rapid.IntRange(0, len(m.replicas)-1).Draw(t, "replica")
		before, old, there := m.loads, modelEntry{}, false
		if old, there = m.entries[key]; there {
			there = m.clock.now().Sub(old.at) < m.policy.Fresh+m.policy.Stale && (old.value >= 0 || m.clock.now().Sub(old.at) < m.policy.Missing)
		}
		life := m.policy.Fresh
		if old.value < 0 {
			life = m.policy.Missing
		}
		fresh := there && m.clock.now().Sub(old.at) < life
		get := m.on(replica).Get
		if refresh {
			get, fresh = m.on(replica).Refresh, false
		}
		e, err := get(context.Background(), key, m.load(key))
		if m.loads > before {
			m.hear(t, replica)
		}
		want, loads := m.source[key], 1
		switch {
		case fresh:
			want, loads = old.value, 0
		case m.away && there && old.value >= 0:
			want = old.value
		case m.away:
			if !errors.Is(err, errAway) {
				t.Fatalf("got %v, %v from nothing", e, err)
			}
			return
		default:
			m.entries[key] = modelEntry{value: want, at: m.clock.now()}
		}
		if want < 0 {
			if !errors.Is(err, cache.ErrNotFound) {
				t.Fatalf("%s: got %+v, %v where there is nothing", key, e, err)
			}
		} else if err != nil || e.Value != want || e.Stale != (m.away && !fresh) {
			t.Fatalf("%s: got %+v, %v; want %d, away %v, fresh %v", key, e, err, want, m.away, fresh)
		}
		if m.loads-before != loads {
			t.Fatalf("%s: %d loads, want %d", key, m.loads-before, loads)
		}
	}
}

func (m *model) invalidate(t *rapid.T) {
	key := rapid.SampledFrom(append([]string{""}, modelKeys...)).Draw(t, "key")
	replica := rapid.IntRange(0, len(m.replicas)-1).Draw(t, "replica")
	var err error
	if key == "" {
		err = m.on(replica).Invalidate(context.Background())
	} else {
		err = m.on(replica).Invalidate(context.Background(), key)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.hear(t, replica)
	for k := range m.entries {
		if key == "" || k == key || strings.HasPrefix(k, key+"/") {
			delete(m.entries, k)
		}
	}
}

func (m *model) expire(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second
	m.clock.advance(d)
	if m.redis != nil {
		m.redis.FastForward(d)
	}
}

// crash ends a replica without a farewell, and starts another.
func (m *model) crash(t *rapid.T) {
	if m.redis == nil {
		t.Skip("its memory is all there is")
	}
	replica := rapid.IntRange(0, len(m.replicas)-1).Draw(t, "replica")
	old := m.replicas[replica]
	m.replicas[replica] = m.open()
	old.Close()
}

func (m *model) change(t *rapid.T) {
	m.source[rapid.SampledFrom(modelKeys).Draw(t, "key")] = rapid.IntRange(-3, 1000).Draw(t, "value")
}

// TestModel: replicas that look into Redis at each Get are one cache.
func TestModel(t *testing.T) {
	for name, maxBytes := range map[string]int64{"memory": 0, "tiered": 0, "Redis": -1} {
		t.Run(name, func(t *testing.T) {
			server := miniredis.RunT(t)
			rapid.Check(t, func(t *rapid.T) {
				m := &model{clock: newClock(), entries: map[string]modelEntry{}, source: map[string]int{}, policy: policy}
				m.policy.Missing, m.policy.Stale = 20*time.Second, 5*time.Minute
				cfg := cache.Config{MaxBytes: maxBytes, Now: m.clock.now}
				replicas := 1
				if name != "memory" {
					server.FlushAll()
					m.redis, replicas = server, 3
					cfg.URL = "redis://" + server.Addr()
					m.policy.Memory = time.Nanosecond
				}
				m.open = func() *cache.Backend {
					b, err := cache.Open(patient(cfg))
					if err != nil {
						t.Fatal(err)
					}
					return b
				}
				for range replicas {
					m.replicas = append(m.replicas, m.open())
				}
				defer func() {
					for _, b := range m.replicas {
						b.Close()
					}
				}()
				t.Repeat(map[string]func(*rapid.T){
					"get": m.ask(false), "get too": m.ask(false), "refresh": m.ask(true), "invalidate": m.invalidate,
					"expire": m.expire, "crash": m.crash, "change": m.change,
					"source away": func(*rapid.T) { m.away = !m.away },
				})
			})
		})
	}
}
