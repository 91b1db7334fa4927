package cache_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ccmwf/ccm/cache"
)

func Example() {
	b, err := cache.Open(cache.Config{}) // memory; with URL: Redis too
	if err != nil {
		panic(err)
	}
	defer b.Close()
	people := cache.New[[]string](b, "people", cache.Policy{Fresh: time.Minute, Stale: time.Hour})
	load := func(context.Context) ([]string, error) { return []string{"Ana", "Luis"}, nil }

	for range 2 {
		e, err := people.Get(context.Background(), "branch=14", load)
		fmt.Println(e.Value, e.Source, err)
	}
	// Output:
	// [Ana Luis] source <nil>
	// [Ana Luis] memory <nil>
}

func ExampleCache_Get_stale() {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b, err := cache.Open(cache.Config{Now: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	answers := cache.New[int](b, "answers", cache.Policy{Fresh: time.Minute, Stale: time.Hour})
	if _, err := answers.Get(context.Background(), "k", func(context.Context) (int, error) { return 42, nil }); err != nil {
		panic(err)
	}

	now = now.Add(10 * time.Minute)
	e, err := answers.Get(context.Background(), "k", func(context.Context) (int, error) { return 0, errors.New("the database is away") })
	fmt.Println(e.Value, now.Sub(e.LoadedAt), e.Stale, e.Err, err)
	// Output: 42 10m0s true the database is away <nil>
}

func ExampleCache_Invalidate() {
	b, err := cache.Open(cache.Config{})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	days := cache.New[string](b, "days", cache.Policy{Fresh: time.Hour})
	get := func(key string) {
		e, err := days.Get(context.Background(), key, func(context.Context) (string, error) { return "of " + key, nil })
		fmt.Println(e.Value, e.Source, err)
	}
	get("14/60")
	get("9/60")
	if err := days.Invalidate(context.Background(), "14"); err != nil { // and all below it
		panic(err)
	}
	get("14/60")
	get("9/60")
	// Output:
	// of 14/60 source <nil>
	// of 9/60 source <nil>
	// of 14/60 source <nil>
	// of 9/60 memory <nil>
}

func ExampleErrNotFound() {
	b, err := cache.Open(cache.Config{})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	people := cache.New[string](b, "people", cache.Policy{Fresh: time.Hour, Missing: time.Minute})
	for range 2 {
		_, err = people.Get(context.Background(), "id=7", func(context.Context) (string, error) {
			fmt.Println("asked")
			return "", fmt.Errorf("person 7: %w", cache.ErrNotFound)
		})
		fmt.Println(err)
	}
	// Output:
	// asked
	// person 7: cache: there is no such thing
	// person 7: cache: there is no such thing
}
