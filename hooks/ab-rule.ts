/** Rule: matches for a share of all sessions, the same ones every time, on every request of theirs. */

import { defineRule, param, textOf, type Context, type MessagesRequest } from "ccproxy/sdk";

export default defineRule({
  summary: "a share of all sessions",
  params: {
    /** Of 100 sessions, how many match. */
    percent: param.number({ min: 0, max: 100 }).optional(),
    /** Several labels and the percentage of each: `{ a: 10, b: 10 }`; the rest does not match. */
    shares: param.map(param.number({ min: 0, max: 100 })).optional(),
    /** Another text draws the sessions anew. Rules with the same one draw alike. */
    salt: param.text().default("ab"),
  },

  evaluate(request, { percent, shares, salt }, context) {
    const drawn = draw(`${salt}:${whose(request, context)}`, context);
    if (percent !== undefined) return drawn < percent;
    let reached = 0;
    for (const [label, share] of Object.entries(shares ?? {})) {
      reached += share;
      if (drawn < reached) return label;
    }
    return false;
  },
});

/** Without a session the first message stands for the conversation: it stays the same from turn to turn. */
function whose(request: MessagesRequest, { session }: Context): string {
  return session ?? textOf(request.messages[0]?.content);
}

/** 0 to 100, evenly. */
function draw(text: string, context: Context): number {
  return (Number.parseInt(context.pseudonym(text).slice(0, 12), 16) / 2 ** 48) * 100;
}
