// Package redisgate is a [telegram.Gate] in Redis, so that replicas that write
// for the same bot keep to Telegram's rates together.
//
// Call [Open], which dials nothing, and give what it returns to the bot:
//
//	gate, err := redisgate.Open(redisgate.Config{URL: "redis://127.0.0.1:6379/0"})
//	defer gate.Close()
//	bot, err := telegram.New(telegram.Config{TokenFile: file, Gate: gate})
//
// The rates are those of the gate in memory. Places are given out in the order of
// asking, by Redis' clock; the replicas' clocks need not agree. A 429 that one of
// them met holds the chat for all of them.
//
// # When Redis is away
//
// A message is never lost, nor late, because Redis is away: each replica then goes
// by a gate of its own memory, and asks Redis again after a second. The replicas
// together may be too fast for that long; Telegram says so with a 429, and
// [telegram.Bot.Deliver] waits it out. A Redis that hangs costs 150 ms. One that
// was started anew knows of no message, and lets one burst too many through.
//
// # In Redis
//
// A bot's keys are <prefix>{telegram:<bot>}:…, in one slot of a cluster, and each
// goes by itself once it says nothing any more. One script does it all, with the
// commands EVALSHA, EVAL, TIME, GET, SET and DEL.
package redisgate
