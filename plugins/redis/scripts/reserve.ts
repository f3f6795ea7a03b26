/** All demands of a reservation or none. */

import { countersLua } from "./counters.ts";

/**
 * KEYS: the reservation, then the counter or the slots of each demand. ARGV: clock, id, ms of the lease, then of each demand: kind, amount, limit,
 * how long the counter lasts (empty: for ever), period, what it begins with.
 *
 * Answers 1 and `used`, `left` of each demand; or 0, the index of the first that cannot be met (from 0), and its `used`, `left`.
 *
 * A reservation is kept for an hour behind its lease, for whoever settles it after all. A counter without an end is kept for 90 days after it was
 * used last; one that is gone begins with what the ledger says.
 */
export const reserve = {
  name: "reserveLimits",
  lua: `${countersLua}
local held, id, lease = KEYS[1], ARGV[2], tonumber(ARGV[3])
local hour, forever = 3600000, 7776000000

local demands = {}
for index = 1, #KEYS - 1 do
  local at = 4 + (index - 1) * 6
  demands[index] = {
    key = KEYS[index + 1], kind = ARGV[at], amount = tonumber(ARGV[at + 1]), limit = tonumber(ARGV[at + 2]),
    lasts = tonumber(ARGV[at + 3]), period = ARGV[at + 4], spent = tonumber(ARGV[at + 5]),
  }
end

local function current(demand)
  local counter = counter_of(demand.key)
  if counter and (demand.kind ~= 'budget' or counter.period == demand.period) then return counter end
  return nil
end

local function used_by(demand)
  if demand.kind == 'slot' then return slots_of(demand.key) end
  local counter = current(demand)
  return counter and counter.used or demand.spent
end

local function tell(demand, answer)
  answer[#answer + 1] = whole(used_by(demand))
  local left = ''
  if demand.kind ~= 'slot' then
    local counter = current(demand)
    if counter then left = left_of(counter)
    elseif demand.kind == 'budget' and demand.lasts then left = whole(demand.lasts) end
  end
  answer[#answer + 1] = left
end

local function granted()
  local answer = { 1 }
  for _, demand in ipairs(demands) do tell(demand, answer) end
  return answer
end

if redis.call('EXISTS', held) == 1 then return granted() end

local needed = {}
for index, demand in ipairs(demands) do
  local before = needed[demand.key] or 0
  local used = used_by(demand) + before
  needed[demand.key] = before + demand.amount
  if used + demand.amount > demand.limit or (demand.kind == 'budget' and used >= demand.limit) then
    local answer = { 0, index - 1 }
    tell(demand, answer)
    return answer
  end
end

local function take(demand, index)
  local key = demand.key
  if demand.kind == 'slot' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now))
    redis.call('ZADD', key, whole(now + lease), id)
    keep(key, lease)
    return { demand.kind, key }
  end
  local counter = current(demand)
  local born = counter and counter.born or id .. ':' .. index
  if not counter then
    local ends = demand.lasts and whole(now + demand.lasts) or ''
    redis.call('DEL', key)
    redis.call('HSET', key, 'used', whole(demand.spent), 'ends', ends, 'period', demand.period, 'born', born)
  end
  redis.call('HINCRBY', key, 'used', whole(demand.amount))
  if counter and counter.ends then keep(key, counter.ends - now) else keep(key, demand.lasts or forever) end
  return { demand.kind, key, whole(demand.amount), born }
end

local taken = {}
for index, demand in ipairs(demands) do taken[index] = take(demand, index) end
redis.call('SET', held, cmsgpack.pack(taken), 'PX', whole(lease + hour))
return granted()
`,
};
