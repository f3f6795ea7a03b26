/** Rule: matches when one of some words, or a pattern, stands in what the user said last. */

import { defineRule, lastUserText, param } from "ccproxy/sdk";

import { mentions } from "./shared/words.ts";

export default defineRule({
  summary: "words or a pattern in the last user text",
  params: {
    /** Whole words or phrases; case does not matter. */
    words: param.list(param.text()).default([]),
    /** A regular expression. */
    pattern: param.text().optional(),
    /** Flags of the pattern, e.g. `i`. */
    flags: param
      .custom("some of the letters i, m, s, u", (raw) => (typeof raw === "string" && /^[imsu]*$/.test(raw) ? raw : undefined))
      .default(""),
  },

  evaluate(request, { words, pattern, flags }) {
    const text = lastUserText(request);
    return mentions(text, words) || (pattern !== undefined && new RegExp(pattern, flags).test(text));
  },
});
