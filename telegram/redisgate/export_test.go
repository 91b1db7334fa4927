package redisgate

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// SetPatience is for a busy machine.
func SetPatience(g *Gate, d time.Duration) { g.patience = d }

// UseBubble has Redis go by the clock of a bubble of testing/synctest, for g
// alone. Nothing else of the script changes.
func UseBubble(g *Gate) {
	g.patience = time.Hour
	g.script = redis.NewScript(clock + places)
	g.client = ticking{g.client}
}

// clock stands before the script: the time is the last argument, and no key
// expires by the time outside of the bubble.
const clock = `
local call, now = redis.call, ARGV[#ARGV]
local redis = {call = function(name, ...)
  if name == 'TIME' then
    return {math.floor(now / 1000000), now % 1000000}
  elseif name == 'SET' then
    local key, value = ...
    return call(name, key, value)
  end
  return call(name, ...)
end}
`

// ticking tells the script what time it is.
type ticking struct{ redis.UniversalClient }

func (t ticking) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return t.UniversalClient.EvalSha(ctx, sha, keys, append(args, time.Now().UnixMicro())...)
}

func (t ticking) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return t.UniversalClient.Eval(ctx, script, keys, append(args, time.Now().UnixMicro())...)
}
