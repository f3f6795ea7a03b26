/** Lua that stands before each script: its clock, and how numbers and expiries are written. */

/**
 * - `now`: ms of the server's clock, or of ARGV[1] where a test has its own
 * - `whole`: numbers up to 2^53 without an exponent, which Lua itself writes from 1e15 on
 * - `keep`: until `ms` are over and somewhat beyond, never shorter than it is kept already. Whether a time is over is always decided by what is
 *   written in the key; its expiry only tidies up.
 */
export const sharedLua: string = `
local function clock_ms(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local now = clock_ms(ARGV[1])
local function whole(number) return string.format('%.0f', number) end
local function keep(key, ms)
  local wanted = ms + 60000
  if redis.call('PTTL', key) < wanted then redis.call('PEXPIRE', key, whole(wanted)) end
end
`;
