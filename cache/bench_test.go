package cache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
)

type row struct {
	ID         int
	Name, Mail string
}

func rows() []row {
	out := make([]row, 200)
	for i := range out {
		out[i] = row{i, fmt.Sprint("Persona ", i), "x@example.org"}
	}
	return out
}

// BenchmarkMemoryHit is measured against a plain otter Get and a sync.Map.
func BenchmarkMemoryHit(b *testing.B) {
	value := rows()
	b.Run("otter", func(b *testing.B) {
		o := otter.Must(&otter.Options[string, []row]{MaximumSize: 100})
		o.Set("k", value)
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := o.GetIfPresent("k"); !ok {
				b.Fatal("miss")
			}
		}
	})
	b.Run("sync.Map", func(b *testing.B) {
		var m sync.Map
		m.Store("k", value)
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := m.Load("k"); !ok {
				b.Fatal("miss")
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		backend, err := cache.Open(cache.Config{})
		if err != nil {
			b.Fatal(err)
		}
		defer backend.Close()
		c := cache.New[[]row](backend, "rows", cache.Policy{Fresh: time.Hour})
		load := func(context.Context) ([]row, error) { return value, nil }
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Get(b.Context(), "k", load); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRedisHit is measured against one raw GET and json.Unmarshal.
func BenchmarkRedisHit(b *testing.B) {
	m := miniredis.RunT(b)
	client := redis.NewClient(&redis.Options{Addr: m.Addr()})
	defer client.Close()
	b.Run("raw", func(b *testing.B) {
		raw, err := json.Marshal(rows())
		if err != nil {
			b.Fatal(err)
		}
		client.Set(b.Context(), "k", raw, 0)
		b.ReportAllocs()
		for b.Loop() {
			got, err := client.Get(b.Context(), "k").Bytes()
			if err != nil {
				b.Fatal(err)
			}
			var out []row
			if err := json.Unmarshal(got, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		backend, err := cache.Open(cache.Config{Redis: client, MaxBytes: -1})
		if err != nil {
			b.Fatal(err)
		}
		defer backend.Close()
		c := cache.New[[]row](backend, "rows", cache.Policy{Fresh: time.Hour})
		load := func(context.Context) ([]row, error) { return rows(), nil }
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Get(b.Context(), "k", load); err != nil {
				b.Fatal(err)
			}
		}
	})
}
