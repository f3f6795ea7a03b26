/** Rule: the first label that a session gets here stays with it, whatever is said later. */

import { defineRule, lastUserText, param } from "ccproxy/sdk";

import { mentions } from "./shared/words.ts";

const key = "label";

export default defineRule({
  summary: "keeps the first label of a session",
  params: {
    /** Words that give a session its label, by label: `{ think: ["ultrathink"], cheap: ["/quick"] }`. Case does not matter. */
    labels: param.map(param.list(param.text())),
  },

  evaluate(request, { labels }, context) {
    const kept = context.state.get(key);
    // A label that the configuration no longer names is forgotten.
    if (typeof kept === "string" && Object.hasOwn(labels, kept)) return kept;
    const text = lastUserText(request);
    const label = Object.keys(labels).find((name) => mentions(text, labels[name] ?? []));
    if (label !== undefined && context.session !== undefined) context.state.set(key, label);
    return label;
  },
});
