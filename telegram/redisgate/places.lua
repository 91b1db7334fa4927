-- The places of a bot, by the clock of Redis. A bucket is kept as the moment, in
-- µs, at which it is full again (GCRA), so that a place of later may be taken now:
-- first come, first served. One that is full, and a hold that is over, is no key.
--
-- take  KEYS hold, buckets…  ARGV room in µs (-1: any), then every (µs) and burst of each bucket
--       answers {wait, 0}: taken, for then; {wait, 1}: the chat is held; {wait, 2}: there is no room
-- give  KEYS buckets…  ARGV every of each: one place of each is free again
-- hold  KEYS hold  ARGV how long, in µs
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
local wait, full = 0, {}
for i = 2, #KEYS do
  local every, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local was = math.max(now, at(KEYS[i]))
  wait = math.max(wait, was - (burst - 1) * every - now)
  full[i] = was + every
end
if room >= 0 and wait > room then
  return {math.ceil(wait), 2}
end
for i = 2, #KEYS do
  keep(KEYS[i], full[i])
end
return {math.ceil(wait), 0}
