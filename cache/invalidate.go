package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Invalidate drops every value of the named caches, here, in Redis and in the
// other processes, so that the next Get loads; with no name, those of every
// cache that was made on this Backend. A load under way is not stored.
//
// Failing to reach Redis is an error: the values are dropped here all the same,
// and this process does not look at Redis until it has told it. Other processes
// may serve them until then, or, should this process end before, until they
// expire. It is an error too if Redis knows and could not tell the others, which
// serve their copies for Policy.Memory at most.
func (b *Backend) Invalidate(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		b.mu.Lock()
		names = slices.Sorted(maps.Keys(b.shelves))
		b.mu.Unlock()
	}
	all := make([]invalidation, len(names))
	for i, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
		all[i] = invalidation{name: name}
	}
	return b.invalidate(ctx, all)
}

// Invalidate is [Backend.Invalidate] of some keys of the cache, and of those
// below them: "14", or "14/", is also "14/60" and "14/60/all", and not "145". With
// no key, it is of all.
func (c *Cache[V]) Invalidate(ctx context.Context, keys ...string) error {
	if c.err != nil {
		return c.err
	}
	if len(keys) == 0 {
		return c.b.Invalidate(ctx, c.name)
	}
	all := make([]invalidation, len(keys))
	for i, key := range keys {
		key = strings.TrimRight(key, "/")
		if err := c.checkKey(key); err != nil {
			return err
		}
		all[i] = invalidation{c.name, key, c.policy.keepGeneration()}
	}
	return c.b.invalidate(ctx, all)
}

func (b *Backend) invalidate(ctx context.Context, all []invalidation) error {
	for _, v := range all {
		b.drop(v.name, v.key)
	}
	if b.remote == nil || len(all) == 0 {
		return nil
	}
	err := b.remote.invalidate(context.WithoutCancel(ctx), all) // Patience bounds it
	if err != nil && !errors.Is(err, errUntold) {
		b.remote.breaker.owe(all)
	}
	for _, v := range all { // again: a Get may have found it in Redis meanwhile
		b.drop(v.name, v.key)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("cache: invalidate in Redis: %w", err)
}

// levels are the keys whose invalidation counts for key, itself included:
// "14", "14/60" for "14/60".
func levels(key string) []string {
	var all []string
	for i := 1; i < len(key); i++ {
		if key[i] == '/' {
			all = append(all, key[:i])
		}
	}
	return append(all, key)
}
