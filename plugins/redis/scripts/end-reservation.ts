/** The end of a reservation: settled with what it took, or as if it had never been. */

import { countersLua } from "./counters.ts";

/**
 * KEYS: the reservation; its counters are in the same slot. ARGV: clock, id, `settle` or `release`, then what was taken of each demand (empty: what
 * was reserved).
 */
export const endReservation = {
  name: "endReservation",
  lua: `${countersLua}
local packed = redis.call('GET', KEYS[1])
if not packed then return 0 end
redis.call('DEL', KEYS[1])
for index, taken in ipairs(cmsgpack.unpack(packed)) do
  local kind, key, amount, born = taken[1], taken[2], tonumber(taken[3]), taken[4]
  if kind == 'slot' then
    redis.call('ZREM', key, ARGV[2])
  else
    local counter = counter_of(key)
    local took = 0
    if ARGV[3] == 'settle' then took = tonumber(ARGV[index + 3] or '') or amount end
    if counter and counter.born == born and took ~= amount then
      redis.call('HINCRBY', key, 'used', whole(took - amount))
    end
  end
end
return 1
`,
};
