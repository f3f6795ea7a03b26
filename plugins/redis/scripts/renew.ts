/** Leases of reservations, from now on. */

import { sharedLua } from "./shared.ts";

/** KEYS: reservations. ARGV: clock, ms of the lease, their ids. A slot that was given to others stays theirs. */
export const renew = {
  name: "renewLeases",
  lua: `${sharedLua}
local lease = tonumber(ARGV[2])
for index, held in ipairs(KEYS) do
  local packed = redis.call('GET', held)
  if packed then
    redis.call('PEXPIRE', held, whole(lease + 3600000))
    for _, taken in ipairs(cmsgpack.unpack(packed)) do
      if taken[1] == 'slot' then
        redis.call('ZADD', taken[2], 'XX', whole(now + lease), ARGV[index + 2])
        keep(taken[2], lease)
      end
    end
  end
end
return 1
`,
};
