// Package cache keeps answers in memory and in Redis, typed, and says of each
// how old it is and where it came from.
//
// Call [Open] for a [Backend], which dials nothing, and [New] for a typed
// [Cache] on it; then [Cache.Get] with a function that loads the value when it
// is not at hand:
//
//	b, err := cache.Open(cache.Config{URL: "redis://127.0.0.1:6379/0"})
//	people := cache.New[[]Row](b, "people", cache.Policy{Fresh: time.Minute, Stale: time.Hour})
//	e, err := people.Get(ctx, "branch=14", load)
//
// A value is looked for in memory, then in Redis, then loaded. It is fresh for
// Policy.Fresh; after that it is loaded anew, and for Policy.Stale more it may
// stand in when loading fails, marked [Entry.Stale] with the reason in
// [Entry.Err].
//
// However many callers wait for a key, a process loads it once. A caller that
// leaves does not stop the load for the others, and a load that panics is an
// error for all of them.
//
// Redis is never an error to a caller: one that is away or hangs costs one
// short time-out (150 ms) and is a miss, and so is an entry that cannot be
// read. [Backend.Stats] counts them.
//
// Values in memory are shared between callers: do not change what Get returns,
// or change a copy.
package cache
