-- A node says that it lives: its lease is renewed, and a part of what a dead node holds is given
-- back. Begins a new epoch when there is none, when the server is another than the epoch's (its
-- memory may be older), or when the node asks for one.
-- KEYS: epoch, nodes. ARGV: node, milliseconds of its lease, milliseconds that a new epoch is
-- rebuilt for, `1` to begin one, what the keys of holds begin with, and how many records of a dead
-- node are given back at most.
-- Gives the epoch, milliseconds until it is ready, how many nodes live, and `1` where the node's
-- lease had not ended.

local node, lease, now = ARGV[1], tonumber(ARGV[2]), now_ms()
-- Drawn by each process anew. An account that may not ask is no reason to do without counters.
local about = redis.pcall('INFO', 'server')
local server = type(about) == 'string' and string.match(about, 'run_id:(%w+)') or ''
local present = redis.call('HMGET', KEYS[1], 'id', 'server', 'ready')
local epoch, ready = present[1], tonumber(present[3] or '0')
if not epoch or (server ~= '' and present[2] ~= server) or ARGV[4] == '1' then
  local time = redis.call('TIME')
  epoch, ready = string.format('%.0f%06.0f', time[1], time[2]), now + tonumber(ARGV[3])
  redis.call('HSET', KEYS[1], 'id', epoch, 'server', server,
    'ready', string.format('%.0f', ready))
end

local until_ms = redis.call('ZSCORE', KEYS[2], node)
local kept = until_ms and tonumber(until_ms) >= now
redis.call('ZADD', KEYS[2], string.format('%.0f', now + lease), node)

local before = string.format('(%.0f', now)
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', before, 'LIMIT', 0, 1)[1]
if dead then
  local holds = ARGV[5] .. epoch .. ':holds:' .. dead
  local found = redis.call('HSCAN', holds, 0, 'COUNT', ARGV[6])[2]
  for at = 1, #found, 2 do
    release(found[at + 1], nil)
    redis.call('HDEL', holds, found[at])
  end
  if redis.call('HLEN', holds) == 0 then redis.call('ZREM', KEYS[2], dead) end
end

local living = redis.call('ZCOUNT', KEYS[2], string.format('%.0f', now), '+inf')
local wait = math.max(ready - now, 0)
return {epoch, string.format('%.0f', wait), tostring(living), kept and '1' or '0'}
