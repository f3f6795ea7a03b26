/** What holds for a while: counted failures, cooldowns, and sessions. Each is a hash that says itself when it is over. */

import { sharedLua } from "./shared.ts";

const marksLua = `${sharedLua}
local function is_over(key)
  return (tonumber(redis.call('HGET', key, 'until') or '') or 0) <= now
end
`;

/** KEYS: failures. ARGV: clock, ms from the first one on. Answers how many. */
export const countFailure = {
  name: "countFailure",
  lua: `${marksLua}
if is_over(KEYS[1]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'until', whole(now + ARGV[2]))
  keep(KEYS[1], tonumber(ARGV[2]))
end
return redis.call('HINCRBY', KEYS[1], 'count', 1)
`,
};

/** KEYS: cooldown. ARGV: clock, ms, reason, status or empty. The one that ends later counts. */
export const coolDown = {
  name: "coolDown",
  lua: `${marksLua}
local ends = now + ARGV[2]
local known = tonumber(redis.call('HGET', KEYS[1], 'until') or '') or 0
if ends <= math.max(now, known) then return 0 end
redis.call('HSET', KEYS[1], 'until', whole(ends), 'reason', ARGV[3], 'status', ARGV[4])
keep(KEYS[1], tonumber(ARGV[2]))
return 1
`,
};

/** KEYS: cooldowns. Answers of each what is left, reason and status; an empty list where there is none. */
export const readCooldowns = {
  name: "readCooldowns",
  lua: `${marksLua}
local answer = {}
for index, key in ipairs(KEYS) do
  local found = redis.call('HMGET', key, 'until', 'reason', 'status')
  local ends = tonumber(found[1] or '') or 0
  answer[index] = ends > now and { whole(ends - now), found[2], found[3] } or {}
end
return answer
`,
};

/** KEYS: session. ARGV: clock, ms, deployment. */
export const bindSession = {
  name: "bindSession",
  lua: `${marksLua}
redis.call('HSET', KEYS[1], 'until', whole(now + ARGV[2]), 'id', ARGV[3])
redis.call('PEXPIRE', KEYS[1], whole(ARGV[2] + 60000))
return 1
`,
};

/** KEYS: session. Answers its deployment, or nothing. */
export const boundSession = {
  name: "boundSession",
  lua: `${marksLua}
if is_over(KEYS[1]) then return false end
return redis.call('HGET', KEYS[1], 'id')
`,
};
