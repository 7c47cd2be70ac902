-- Takes every claim from its counter, or none of them: `policy::take`, step by step.
-- KEYS: epoch, nodes, the node's holds, then each counter.
-- ARGV: epoch, node, call, milliseconds that holds are kept, then for each counter: amount; cap,
-- empty where there is none; window (`forever`, `between`, `opened`) with its two numbers; `1`
-- where an unknown counter starts from zero; milliseconds that it is kept.
-- Gives `held` with start, used and held of each counter; `over` with the place of the first that
-- refuses and its three numbers; `unknown` with the places of those to be seeded; `wait`; `lost`.

local refused = turned_away(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if refused then return refused end

local claims, unknown = {}, {}
for place = 1, #KEYS - 3 do
  local at = 4 + 7 * (place - 1)
  local key = KEYS[3 + place]
  local counter = redis.call('HMGET', key, 's', 'u', 'h', 'w')
  local cap = ARGV[at + 2]
  if not counter[2] and ARGV[at + 6] ~= '1' then
    local wait = wait_for(counter[4] or nil)
    if wait then return {'wait', wait} end
    unknown[#unknown + 1] = tostring(place - 1)
  end
  claims[place] = {
    key = key,
    start = read(counter[1] or '0'),
    used = read(counter[2] or '0'),
    held = read(counter[3] or '0'),
    amount = read(ARGV[at + 1]),
    cap = cap ~= '' and read(cap) or nil,
    window = ARGV[at + 3],
    first = read(ARGV[at + 4]),
    second = read(ARGV[at + 5]),
    keep = ARGV[at + 7],
  }
end
if #unknown > 0 then return {'unknown', unpack(unknown)} end

local function begins_anew(claim)
  if claim.window == 'between' then return less(claim.start, claim.first) end
  if claim.window == 'opened' then
    return not less(claim.first, add(claim.start, claim.second))
  end
  return false
end

local function allows(claim)
  if not claim.cap or (claim.amount[1] == 0 and claim.amount[2] == 0) then return true end
  return not less(claim.cap, sum(sum(claim.used, claim.held), claim.amount))
end

local function store(claim)
  redis.call('HSET', claim.key, 's', write(claim.start), 'u', write(claim.used),
    'h', write(claim.held))
  redis.call('PEXPIRE', claim.key, claim.keep)
end

for place, claim in ipairs(claims) do
  if begins_anew(claim) then
    claim.start, claim.used, claim.held, claim.rolled = claim.first, ZERO, ZERO, true
  end
  if not allows(claim) then
    for before = 1, place do
      if claims[before].rolled then store(claims[before]) end
    end
    return {'over', tostring(place - 1), write(claim.start), write(claim.used), write(claim.held)}
  end
end

local answer, record = {'held'}, {}
for place, claim in ipairs(claims) do
  claim.held = add(claim.held, claim.amount)
  store(claim)
  local start, size = write(claim.start), 3 * place
  record[size - 2], record[size - 1], record[size] = claim.key, start, write(claim.amount)
  answer[size - 1], answer[size], answer[size + 1] = start, write(claim.used), write(claim.held)
end
redis.call('HSET', KEYS[3], ARGV[3], cmsgpack.pack(record))
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return answer
