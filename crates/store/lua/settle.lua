-- Ends the holds of calls: what each used takes the place of what it held.
-- KEYS: epoch, the node's holds. ARGV: epoch, then for each call: call, how many amounts, and what
-- it used of each counter in the order of its claim; no amounts give back what it held.
-- A call's record goes with its holds, so one that is settled again changes nothing.

if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'lost'} end
local at = 2
while at <= #ARGV do
  local call, count, used = ARGV[at], tonumber(ARGV[at + 1]), {}
  for place = 1, count do used[place] = ARGV[at + 1 + place] end
  local record = redis.call('HGET', KEYS[2], call)
  if record then
    release(record, used)
    redis.call('HDEL', KEYS[2], call)
  end
  at = at + 2 + count
end
return {'settled'}
