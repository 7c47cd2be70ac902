-- Whole numbers as pairs of limbs: how many billions, and what is left, which is never negative.
-- Lua counts in doubles, exact up to 2^53 only; amounts are integers of 64 bits. Read from and
-- written as decimal texts; sums are held at the largest such integer, as `i64::saturating_add`.

local BASE = 1000000000
local ZERO = {0, 0}
local LARGEST = {9223372036, 854775807}

local function read(text)
  local negative = string.sub(text, 1, 1) == '-'
  local digits = negative and string.sub(text, 2) or text
  local cut = #digits - 9
  local high = cut > 0 and tonumber(string.sub(digits, 1, cut)) or 0
  local low = tonumber(cut > 0 and string.sub(digits, cut + 1) or digits)
  if not negative then return {high, low} end
  if low == 0 then return {0 - high, 0} end
  return {0 - high - 1, BASE - low}
end

local function write(number)
  local high, low, sign = number[1], number[2], ''
  if high < 0 then
    sign, high, low = '-', 0 - high, 0 - low
    if low < 0 then high, low = high - 1, low + BASE end
  end
  if high == 0 then return sign .. string.format('%.0f', low) end
  return sign .. string.format('%.0f%09.0f', high, low)
end

local function less(one, other)
  return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
end

-- The exact sum, which may be larger than any integer of 64 bits.
local function sum(one, other)
  local high, low = one[1] + other[1], one[2] + other[2]
  if low >= BASE then high, low = high + 1, low - BASE end
  return {high, low}
end

local function add(one, other)
  local exact = sum(one, other)
  return less(LARGEST, exact) and LARGEST or exact
end

-- What is left of `one`, never below zero.
local function take_off(one, other)
  local high, low = one[1] - other[1], one[2] - other[2]
  if low < 0 then high, low = high - 1, low + BASE end
  return high < 0 and ZERO or {high, low}
end
