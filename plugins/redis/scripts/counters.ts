/** Lua for counters of windows and budgets. */

import { sharedLua } from "./shared.ts";

/**
 * A counter is a hash: `used`, `ends` (ms since 1970, empty: never), `period` of a budget, and `born`, which tells it from those that had its name
 * before. Slots are a sorted set: reservations by the end of their leases.
 */
export const countersLua: string = `${sharedLua}
local function counter_of(key)
  local found = redis.call('HMGET', key, 'used', 'ends', 'period', 'born')
  if not found[1] then return nil end
  local ends = tonumber(found[2])
  if ends and ends <= now then return nil end
  return { used = tonumber(found[1]), ends = ends, period = found[3], born = found[4] }
end
local function slots_of(key)
  return redis.call('ZCOUNT', key, '(' .. whole(now), '+inf')
end
local function left_of(counter)
  return counter.ends and whole(counter.ends - now) or ''
end
`;
