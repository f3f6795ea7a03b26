/** Numbers of deployments: attempts that begin and end, and what is known of them. */

import { sharedLua } from "./shared.ts";

/**
 * `numbers`: a hash of the current minute. `inflight`: a hash with one field for each process, `<count>:<ms since 1970 when it was written last>`,
 * so that what a process had under way when it vanished is forgotten after an hour. All are kept for a day.
 */
const deploymentsLua = `${sharedLua}
local day, stale = 86400000, 3600000
local minute = whole(math.floor(now / 60000))
local function count_of(value)
  local count, at = string.match(value or '', '^(%d+):(%d+)$')
  if not count or tonumber(at) + stale <= now then return 0 end
  return tonumber(count)
end
local function in_this_minute(key)
  if redis.call('HGET', key, 'minute') ~= minute then
    redis.call('DEL', key)
    redis.call('HSET', key, 'minute', minute)
  end
  keep(key, day)
end
`;

/** KEYS: numbers, inflight. ARGV: clock, process. */
export const beginAttempt = {
  name: "beginAttempt",
  lua: `${deploymentsLua}
local all = redis.call('HGETALL', KEYS[2])
local own = 0
for index = 1, #all, 2 do
  local count = count_of(all[index + 1])
  if all[index] == ARGV[2] then own = count
  elseif count == 0 then redis.call('HDEL', KEYS[2], all[index]) end
end
redis.call('HSET', KEYS[2], ARGV[2], whole(own + 1) .. ':' .. whole(now))
keep(KEYS[2], day)
in_this_minute(KEYS[1])
redis.call('HINCRBY', KEYS[1], 'requests', 1)
return 1
`,
};

/** KEYS: numbers, inflight, latencies, firsts. ARGV: clock, process, outcome, tokens, how many samples are kept, seconds of each kind or empty. */
export const endAttempt = {
  name: "endAttempt",
  lua: `${deploymentsLua}
local own = count_of(redis.call('HGET', KEYS[2], ARGV[2]) or '')
if own == 0 then return 0 end
if own == 1 then redis.call('HDEL', KEYS[2], ARGV[2])
else redis.call('HSET', KEYS[2], ARGV[2], whole(own - 1) .. ':' .. whole(now)) end
in_this_minute(KEYS[1])
redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[4])
if ARGV[3] == 'success' then redis.call('HINCRBY', KEYS[1], 'successes', 1) end
if ARGV[3] == 'failure' then redis.call('HINCRBY', KEYS[1], 'failures', 1) end
for kind = 3, 4 do
  local seconds = ARGV[kind + 3]
  if seconds ~= '' then
    redis.call('RPUSH', KEYS[kind], seconds .. ':' .. whole(now))
    redis.call('LTRIM', KEYS[kind], '-' .. ARGV[5], -1)
    keep(KEYS[kind], day)
  end
end
return 1
`,
};

/** KEYS: of each deployment numbers, inflight, latencies, firsts. Answers the time, then of each: inFlight, four numbers, and the samples. */
export const readDeployments = {
  name: "readDeployments",
  lua: `${deploymentsLua}
local answer = { whole(now) }
for index = 1, #KEYS, 4 do
  local flying = 0
  for _, value in ipairs(redis.call('HVALS', KEYS[index + 1])) do flying = flying + count_of(value) end
  local numbers = redis.call('HMGET', KEYS[index], 'minute', 'requests', 'tokens', 'successes', 'failures')
  local isCurrent = numbers[1] == minute
  local state = { whole(flying) }
  for field = 2, 5 do state[field] = isCurrent and numbers[field] or '0' end
  state[6] = redis.call('LRANGE', KEYS[index + 2], 0, -1)
  state[7] = redis.call('LRANGE', KEYS[index + 3], 0, -1)
  answer[#answer + 1] = state
end
return answer
`,
};
