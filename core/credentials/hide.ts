/** Takes out of a text what nobody but the caller and its upstream should know. */

import type { HeaderList } from "../../sdk/dialect.ts";

const mark = "[redacted]";

/**
 * A caller's own login is no secret of the configuration, but upstreams repeat it in their errors.
 * @param credentials `authorization` and `x-api-key` as received; values with a scheme are hidden with and without it
 */
export function hideCredentials(text: string, credentials: HeaderList): string {
  let hidden = text;
  for (const [, value] of credentials) {
    for (const secret of [value, value.replace(/^\S+\s+/, "")]) if (secret !== "") hidden = hidden.replaceAll(secret, mark);
  }
  return hidden;
}
