package benchmarks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/jellydator/ttlcache/v3"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"github.com/viccon/sturdyc"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

type row struct {
	ID                              int
	Branch                          int
	District, Treatment, Name, Mail string
	Birthday                        time.Time
}

// rows is a dataset of 200 people, about 30 KB of JSON.
func rows() []row {
	out := make([]row, 200)
	for i := range out {
		out[i] = row{i, 14, fmt.Sprint("14", string(rune('A'+i%26))), "Élder", fmt.Sprint("Persona de Prueba ", i), fmt.Sprintf("persona%d@example.org", i),
			time.Date(2005, time.Month(1+i%12), 1+i%28, 0, 0, 0, 0, time.UTC)}
	}
	return out
}

func load(context.Context) ([]row, error) { return rows(), nil }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func run(b *testing.B, name string, get func(context.Context) ([]row, error)) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, err := get(b.Context()); err != nil || len(got) != 200 {
				b.Fatal(len(got), err)
			}
		}
	})
}

func open(b *testing.B, cfg cache.Config) *cache.Cache[[]row] {
	backend := must(cache.Open(cfg))
	b.Cleanup(func() { backend.Close() })
	return cache.New[[]row](backend, "rows", cache.Policy{Fresh: time.Hour})
}

// BenchmarkMemoryHit: the value is in memory, and is fresh.
func BenchmarkMemoryHit(b *testing.B) {
	value := rows()
	plain := otter.Must(&otter.Options[string, []row]{MaximumSize: 100})
	plain.Set("k", value)
	run(b, "otter", func(context.Context) ([]row, error) { v, _ := plain.GetIfPresent("k"); return v, nil })
	expiring := otter.Must(&otter.Options[string, []row]{MaximumSize: 100, ExpiryCalculator: otter.ExpiryWriting[string, []row](time.Hour)})
	expiring.Set("k", value)
	run(b, "otter that expires", func(context.Context) ([]row, error) { v, _ := expiring.GetIfPresent("k"); return v, nil })
	var m sync.Map
	m.Store("k", value)
	run(b, "sync.Map", func(context.Context) ([]row, error) { v, _ := m.Load("k"); return v.([]row), nil })

	ours := open(b, cache.Config{})
	run(b, "ours", func(ctx context.Context) ([]row, error) { e, err := ours.Get(ctx, "k", load); return e.Value, err })

	st := sturdyc.New[[]row](100, 4, time.Hour, 10)
	run(b, "sturdyc", func(ctx context.Context) ([]row, error) { return st.GetOrFetch(ctx, "k", load) })

	tt := ttlcache.New(ttlcache.WithTTL[string, []row](time.Hour))
	tt.Set("k", value, ttlcache.DefaultTTL)
	run(b, "ttlcache", func(context.Context) ([]row, error) { return tt.Get("k").Value(), nil })

	foreign := rediscache.New(&rediscache.Options{LocalCache: rediscache.NewTinyLFU(100, time.Hour)})
	must(0, foreign.Set(&rediscache.Item{Key: "k", Value: value, TTL: time.Hour}))
	run(b, "go-redis cache", func(ctx context.Context) (out []row, err error) { err = foreign.Get(ctx, "k", &out); return out, err })
}

func client(b *testing.B) *redis.Client {
	c := redis.NewClient(must(redis.ParseURL(testenv.Redis(b))))
	b.Cleanup(func() { c.Close() })
	return c
}

// BenchmarkRedisHit: the value is in a Redis 8, and in no memory; at one
// goroutine and at 16.
func BenchmarkRedisHit(b *testing.B) {
	c := client(b)
	must(c.Set(b.Context(), "raw", must(json.Marshal(rows())), 0).Result())
	ours := open(b, cache.Config{Redis: c, MaxBytes: -1})
	foreign := rediscache.New(&rediscache.Options{Redis: c})
	must(0, foreign.Set(&rediscache.Item{Key: "foreign", Value: rows(), TTL: time.Hour}))
	inJSON := rediscache.New(&rediscache.Options{Redis: c, Marshal: json.Marshal, Unmarshal: json.Unmarshal})
	must(0, inJSON.Set(&rediscache.Item{Key: "foreign JSON", Value: rows(), TTL: time.Hour}))
	for _, way := range []struct {
		name string
		get  func(context.Context) ([]row, error)
	}{
		{"GET and json.Unmarshal", func(ctx context.Context) (out []row, err error) {
			raw, err := c.Get(ctx, "raw").Bytes()
			if err == nil {
				err = json.Unmarshal(raw, &out)
			}
			return out, err
		}},
		{"ours", func(ctx context.Context) ([]row, error) { e, err := ours.Get(ctx, "k", load); return e.Value, err }},
		{"go-redis cache, msgpack", func(ctx context.Context) (out []row, err error) {
			err = foreign.Get(ctx, "foreign", &out)
			return out, err
		}},
		{"go-redis cache, JSON", func(ctx context.Context) (out []row, err error) {
			err = inJSON.Get(ctx, "foreign JSON", &out)
			return out, err
		}},
	} {
		run(b, way.name, way.get)
		b.Run(way.name+" by 16", func(b *testing.B) {
			b.SetParallelism(8) // times two processors
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if got, err := way.get(b.Context()); err != nil || len(got) != 200 {
						b.Error(len(got), err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkRedisHitKeys is [BenchmarkRedisHit] by our ways over 16 keys, for one
// flight serves all who want the same key.
func BenchmarkRedisHitKeys(b *testing.B) {
	c := client(b)
	raw := must(json.Marshal(rows()))
	ours := open(b, cache.Config{Redis: c, MaxBytes: -1})
	for i := range 16 {
		must(c.Set(b.Context(), fmt.Sprint("raw", i), raw, 0).Result())
		must(ours.Get(b.Context(), fmt.Sprint(i), load))
	}
	parallel := func(name string, get func(ctx context.Context, i int) ([]row, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			b.ReportAllocs()
			var mu sync.Mutex
			next := 0
			b.RunParallel(func(pb *testing.PB) {
				mu.Lock()
				i := next % 16
				next++
				mu.Unlock()
				for pb.Next() {
					if got, err := get(b.Context(), i); err != nil || len(got) != 200 {
						b.Error(len(got), err)
						return
					}
				}
			})
		})
	}
	parallel("GET and json.Unmarshal", func(ctx context.Context, i int) (out []row, err error) {
		raw, err := c.Get(ctx, fmt.Sprint("raw", i)).Bytes()
		if err == nil {
			err = json.Unmarshal(raw, &out)
		}
		return out, err
	})
	parallel("ours", func(ctx context.Context, i int) ([]row, error) {
		e, err := ours.Get(ctx, fmt.Sprint(i), load)
		return e.Value, err
	})
}

// BenchmarkCompression: what a read from Redis costs with the value compressed.
func BenchmarkCompression(b *testing.B) {
	c := client(b)
	raw := must(json.Marshal(rows()))
	encoder, decoder := must(zstd.NewWriter(nil)), must(zstd.NewReader(nil))
	for _, way := range []struct {
		name   string
		pack   func([]byte) []byte
		unpack func([]byte) ([]byte, error)
	}{
		{"plain", func(p []byte) []byte { return p }, func(p []byte) ([]byte, error) { return p, nil }},
		{"s2", func(p []byte) []byte { return s2.Encode(nil, p) }, func(p []byte) ([]byte, error) { return s2.Decode(nil, p) }},
		{"zstd", func(p []byte) []byte { return encoder.EncodeAll(p, nil) }, func(p []byte) ([]byte, error) { return decoder.DecodeAll(p, nil) }},
	} {
		b.Run(way.name+"/write", func(b *testing.B) {
			for b.Loop() {
				must(c.Set(b.Context(), way.name, way.pack(raw), 0).Result())
			}
			b.ReportMetric(float64(len(way.pack(raw))), "bytes")
		})
		b.Run(way.name+"/read", func(b *testing.B) {
			for b.Loop() {
				got := must(way.unpack(must(c.Get(b.Context(), way.name).Bytes())))
				if len(got) != len(raw) {
					b.Fatal(len(got))
				}
			}
		})
	}
}
