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
// [Entry.Err]. With Policy.Soft it is loaded anew in the background, before
// anybody has to wait.
//
// # One load
//
// However many callers wait for a key, a process loads it once, and while Redis
// is up so do all processes together: who loads holds a lock, which ends with
// its holder, and the others wait for what it stores, for half of
// Policy.LoadTimeout at most. A caller that leaves does not stop the load for
// the others, and a load that panics is an error for all of them.
//
// # Invalidation
//
// [Cache.Invalidate] and [Backend.Invalidate] give a name, or a key and those
// below it, a new generation in Redis, which is read together with each value;
// other processes drop their copies by a message, within milliseconds. A message
// that is lost costs Policy.Memory, at most; a connection that was lost is
// noticed, and what is in memory is looked up again. A load under way when its
// key is invalidated is never stored, wherever it runs.
//
// # Redis away
//
// Redis is never an error to a caller. One that is away, hangs or is slow costs
// whoever notices one short time-out (150 ms), then nobody: for at least a
// second at a time only memory and the source are asked, until an attempt in the
// background succeeds. What was invalidated meanwhile is told to Redis before
// anything is read from it again. An entry that cannot be read is a miss. Only
// Invalidate says that Redis was not reached; if its process ends before Redis is
// back, nobody tells it, and values may be served until they expire. The same is
// true of an invalidation that a failing master had not passed on to its replica,
// and of a Redis that comes back with a snapshot of before it: have it keep none.
// [Backend.Stats] counts all of this.
//
// One that answers, but slowly, makes Get slower by up to three answers where there
// is a load. go-redis writes what goes wrong in its connections to the standard
// error: redis.SetLogger tells it otherwise.
//
// # Values
//
// Values in memory are shared between callers: do not change what Get returns,
// or change a copy. A type that changes between versions of a program changes its
// name too, or what one writes the other may half read. The clocks of processes
// that share a Redis should agree: an age is by the clock of who loaded the value.
package cache
