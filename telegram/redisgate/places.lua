-- The places of a bot, by the clock of Redis. A bucket is kept as the moment, in
-- µs, at which it is full again (GCRA), so that a place of later may be taken now:
-- first come, first served. One that is full, and a hold that is over, is no key.
--
-- ARGV begin with what to do, then:
-- queue  KEYS hold, buckets…       ARGV room in µs (-1: any), then every (µs) and burst of each bucket
-- write  KEYS hold, bot, buckets…  ARGV as queue: a place of the bot, and one of the others for that moment
-- give   KEYS buckets…             ARGV every of each: one place of each is free again
-- hold   KEYS hold                 ARGV how long, in µs
--
-- The first two answer {wait, state}: 0 it is taken, for when wait is over; else
-- nothing is, since 1 the chat is held, 2 there is no room, 3 the others have no
-- place at that moment.
local op = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function at(key)
  return tonumber(redis.call('GET', key) or 0)
end

local function keep(key, moment)
  if moment > now then
    redis.call('SET', key, string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000))
  else
    redis.call('DEL', key)
  end
end

if op == 'hold' then
  keep(KEYS[1], math.max(at(KEYS[1]), now + ARGV[2]))
  return {0, 0}
end

if op == 'give' then
  for i = 1, #KEYS do
    keep(KEYS[i], at(KEYS[i]) - ARGV[i + 1])
  end
  return {0, 0}
end

local held = at(KEYS[1]) - now
if held > 0 then
  return {math.ceil(held), 1}
end
local room = tonumber(ARGV[2])
local function bucket(i)
  return KEYS[i], tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
end

-- short is how long after a moment there is a place in buckets first to last.
local function short(first, last, moment)
  local longest = 0
  for i = first, last do
    local key, every, burst = bucket(i)
    longest = math.max(longest, at(key) - (burst - 1) * every - moment)
  end
  return longest
end

local deciding = op == 'write' and 2 or #KEYS
local wait = short(2, deciding, now)
if room >= 0 and wait > room then
  return {math.ceil(wait), 2}
end
local missing = short(deciding + 1, #KEYS, now + wait)
if missing > 0 then
  return {math.ceil(missing), 3}
end
for i = 2, #KEYS do
  local key, every = bucket(i)
  local since = i > deciding and now + wait or now
  keep(key, math.max(since, at(key)) + every)
end
return {math.ceil(wait), 0}
