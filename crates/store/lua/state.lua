-- What the scripts share: the server's clock, who is admitted, and how a call's holds end.
-- A counter is a hash: `s` the start of its window, `u` used, `h` held. Without `u` it waits to be
-- seeded from the ledger, from the time `w` on if there is one; what calls hold of it stands in `h`
-- meanwhile. `m` marks those that the ledger knows.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Milliseconds until a time, as a text; nothing when it has come.
local function wait_for(time)
  local wait = tonumber(time or '0') - now_ms()
  return wait > 0 and string.format('%.0f', wait) or nil
end

-- Why a node may not claim now: its epoch or its lease has ended, or the epoch's counters are
-- still being rebuilt. Nothing when it may.
local function turned_away(epoch_key, nodes_key, epoch, node)
  local present = redis.call('HMGET', epoch_key, 'id', 'ready')
  local lease = redis.call('ZSCORE', nodes_key, node)
  if present[1] ~= epoch or not lease or tonumber(lease) < now_ms() then return {'lost'} end
  local wait = wait_for(present[2])
  if wait then return {'wait', wait} end
end

-- How long the ledger may take to write what a call cost.
local LATE_MS = 250

-- What calls used of a counter that is not seeded yet. The ledger may lack it when it is asked, so
-- for a while it is remembered: `t` numbers a stretch of time, `n` is its sum, `b` that of the
-- stretch before.
local function remember_late(key, used)
  local stretch = math.floor(now_ms() / LATE_MS)
  local late = redis.call('HMGET', key, 't', 'n', 'b')
  local past = stretch - tonumber(late[1] or '0')
  local sum = past == 0 and read(late[2]) or ZERO
  local before = past == 0 and late[3] or past == 1 and late[2] or '0'
  redis.call('HSET', key, 't', string.format('%.0f', stretch), 'n', write(add(sum, read(used))),
    'b', before)
end

-- The sum of what is remembered of the last two stretches, which is forgotten now.
local function recall_late(key)
  local late = redis.call('HMGET', key, 't', 'n', 'b')
  if not late[1] then return ZERO end
  redis.call('HDEL', key, 't', 'n', 'b')
  local past = math.floor(now_ms() / LATE_MS) - tonumber(late[1])
  if past == 0 then return add(read(late[2]), read(late[3])) end
  return past == 1 and read(late[2]) or ZERO
end

-- Lets a counter be seeded again, once the ledger has written everything that it counted.
local function doubt(key)
  if redis.call('HEXISTS', key, 'm') == 0 then return end
  redis.call('HDEL', key, 'u')
  redis.call('HSET', key, 'w', string.format('%.0f', now_ms() + LATE_MS))
end

-- Ends what a record holds: key, start and amount of each counter. `used` takes its place, where
-- there is any, as in `Counter::settle`: in the window that holds it and in no other. Without it
-- nobody can say what the call used but the ledger.
local function release(record, used)
  local parts = cmsgpack.unpack(record)
  for place = 1, #parts / 3 do
    local key, start, amount = parts[3 * place - 2], parts[3 * place - 1], parts[3 * place]
    local counter = redis.call('HMGET', key, 's', 'u', 'h')
    if counter[1] == start then
      redis.call('HSET', key, 'h', write(take_off(read(counter[3]), read(amount))))
      if not used then
        doubt(key)
      elseif used[place] and counter[2] then
        redis.call('HSET', key, 'u', write(add(read(counter[2]), read(used[place]))))
      elseif used[place] then
        remember_late(key, used[place])
      end
    end
  end
end
