package cache

import "github.com/redis/go-redis/v9"

// The scripts get the keys of an entry: the generations, those of the name first,
// the value, the lock. All share a hash tag.

// claim gives each missing generation its random word, takes the lock if it is
// free, and tells what is there. A value that the caller knows already is "=".
// A lock has the token of its holder and the generations when it was taken: one
// of before an invalidation is free, for what its holder loads does not count.
// What is no string is not ours, and none: it is written over.
//
//	ARGV: token, lease (ms), life of a key's generation (ms), known id, a word for each generation
//	→ generations…, value or nil, token of the lock's holder
var claimScript = redis.NewScript(`
local function get(key)
  local value = redis.pcall('GET', key)
  if type(value) ~= 'table' then return value end
  if string.find(value.err, 'WRONGTYPE', 1, true) then return false end
  error(value.err)
end
local n = #KEYS - 2
local out = {}
for i = 1, n do
  out[i] = get(KEYS[i])
  if not out[i] then
    out[i] = ARGV[4 + i]
    if i == 1 then
      redis.call('SET', KEYS[i], out[i])
    else
      redis.call('SET', KEYS[i], out[i], 'PX', ARGV[3])
    end
  end
end
local value = get(KEYS[n + 1])
if value and ARGV[4] ~= '' and string.sub(value, 1, #ARGV[4]) == ARGV[4] then value = '=' end
out[n + 1] = value
local since = ' ' .. table.concat(out, ',', 1, n)
local lock = get(KEYS[n + 2])
if not lock or string.sub(lock, -#since) ~= since then
  lock = ARGV[1] .. since
  redis.call('SET', KEYS[n + 2], lock, 'PX', ARGV[2])
end
out[n + 2] = string.sub(lock, 1, -#since - 1)
return out
`)

// store frees the lock if it is the caller's, and stores the value unless the
// key was invalidated since the load began, or somebody stored another.
//
//	ARGV: token, known id ("*": any), value ("": none, delete), its life (ms), life of a key's
//	generation (ms), channel, message ("": none), the generations when the load began
//	→ 1: stored
var storeScript = redis.NewScript(`
local n = #KEYS - 2
local lock = redis.call('GET', KEYS[n + 2])
if lock and ARGV[1] ~= '' and string.sub(lock, 1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[n + 2]) end
for i = 1, n do
  if redis.call('GET', KEYS[i]) ~= ARGV[7 + i] then return 0 end
end
if ARGV[2] ~= '*' then
  local id = redis.pcall('GETRANGE', KEYS[n + 1], 0, 30)
  if type(id) == 'string' and id ~= '' and id ~= ARGV[2] then return 0 end
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[n + 1])
else
  redis.call('SET', KEYS[n + 1], ARGV[3], 'PX', ARGV[4])
end
for i = 2, n do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
if ARGV[7] ~= '' then redis.call('PUBLISH', ARGV[6], ARGV[7]) end
return 1
`)

// extend gives the holder of a lock more time, or with 0 ms frees it.
//
//	KEYS: lock · ARGV: token, ms
var extendScript = redis.NewScript(`
local lock = redis.call('GET', KEYS[1])
if lock and string.sub(lock, 1, #ARGV[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`)

// ping calls what the other scripts and the rest of the package call: a user needs
// the same rights inside of a script.
//
//	KEYS: one of its own · ARGV: channel
var pingScript = redis.NewScript(`
redis.call('SET', KEYS[1], '', 'PX', 1000)
redis.call('GET', KEYS[1])
redis.call('MGET', KEYS[1])
redis.call('EXISTS', KEYS[1])
redis.call('GETRANGE', KEYS[1], 0, 30)
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], '')
return 1
`)
