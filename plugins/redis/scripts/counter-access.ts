/** Counters without a reservation: read, and added to. */

import { countersLua } from "./counters.ts";

/** KEYS: of each name, its counter and its slots. Answers `used`, `left` of each. */
export const readCounters = {
  name: "readCounters",
  lua: `${countersLua}
local answer = {}
for index = 1, #KEYS, 2 do
  local counter = counter_of(KEYS[index])
  answer[index] = whole(counter and counter.used or slots_of(KEYS[index + 1]))
  answer[index + 1] = counter and left_of(counter) or ''
end
return answer
`,
};

/** KEYS: a counter. ARGV: clock, period, amount. */
export const addToCounter = {
  name: "addToCounter",
  lua: `${countersLua}
local counter = counter_of(KEYS[1])
if not counter or counter.period ~= ARGV[2] then return 0 end
redis.call('HINCRBY', KEYS[1], 'used', ARGV[3])
return 1
`,
};
