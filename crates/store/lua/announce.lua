-- Holds what the calls of a node hold already, whatever the caps: after the counters were lost, or
-- after its holds were given back because it was silent for too long.
-- KEYS: epoch, the node's holds. ARGV: epoch, milliseconds that holds and counters are kept, then
-- for each call: call, how many counters, and for each: key, start, amount.

if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'lost'} end

local function hold(key, start, amount)
  local counter = redis.call('HMGET', key, 's', 'u', 'h')
  if not counter[1] then
    redis.call('HSET', key, 's', start, 'h', amount)
    redis.call('PEXPIRE', key, ARGV[2])
  elseif counter[1] == start then
    redis.call('HSET', key, 'h', write(add(read(counter[3]), read(amount))))
  elseif less(read(counter[1]), read(start)) then
    redis.call('HSET', key, 's', start, 'h', amount)
    redis.call('HDEL', key, 't', 'n', 'b')
    if counter[2] then redis.call('HSET', key, 'u', '0') end
  end
end

local at = 3
while at <= #ARGV do
  local call, count, record = ARGV[at], tonumber(ARGV[at + 1]), {}
  local known = redis.call('HEXISTS', KEYS[2], call) == 1
  for place = 1, count do
    local from = at + 3 * place - 1
    local key, start, amount = ARGV[from], ARGV[from + 1], ARGV[from + 2]
    record[3 * place - 2], record[3 * place - 1], record[3 * place] = key, start, amount
    if not known then hold(key, start, amount) end
  end
  if not known then redis.call('HSET', KEYS[2], call, cmsgpack.pack(record)) end
  at = at + 2 + 3 * count
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return {'announced'}
