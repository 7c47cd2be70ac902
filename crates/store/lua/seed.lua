-- Tells counters that are unknown what the ledger says of them. One that became known meanwhile
-- stays as it is. What calls used a moment ago is added, because the ledger may not have it yet: a
-- counter may show too much by that, never too little.
-- KEYS: epoch, then each counter. ARGV: epoch, then for each counter: start, used, milliseconds.

if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'lost'} end
for place = 1, #KEYS - 1 do
  local key, at = KEYS[1 + place], 3 * place - 1
  local start, used = ARGV[at], ARGV[at + 1]
  local counter = redis.call('HMGET', key, 's', 'u', 'h')
  if not counter[2] then
    local held, late = '0', recall_late(key)
    if counter[1] and not less(read(counter[1]), read(start)) then
      -- Held in a later window, which then began a moment ago: nothing was spent in it yet.
      if counter[1] ~= start then start, used = counter[1], '0' end
      used, held = write(add(read(used), late)), counter[3]
    end
    redis.call('HSET', key, 's', start, 'u', used, 'h', held, 'm', '1')
    redis.call('HDEL', key, 'w')
    redis.call('PEXPIRE', key, ARGV[at + 2])
  end
end
return {'seeded'}
