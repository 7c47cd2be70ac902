-- Lets counters be seeded from the ledger again, because it says something else of them now.
-- KEYS: epoch, then each counter. ARGV: epoch.

if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'lost'} end
for place = 2, #KEYS do doubt(KEYS[place]) end
return {'doubted'}
