/** Hook: refuses requests that hold personal data, and says which kinds and where; never the data. */

import { defineHook, deny, lastUserText, mapText, param } from "ccproxy/sdk";

import { countPersonalData, type PersonalKind } from "./shared/personal-data.ts";

export default defineHook({
  summary: "refuses requests with personal data",
  required: true,
  params: {
    kinds: param.list(param.choice("credit_card", "iban", "us_ssn", "email", "phone")).default(["credit_card", "iban", "us_ssn"]),
    /** Values that hold one of these are no finding, e.g. `["@example.com"]`. */
    allow: param.list(param.text()).default([]),
    /** `last`: what the user said last. `all`: the whole conversation, with what tools brought. A refused text is sent again with the next turn. */
    scope: param.choice("all", "last").default("all"),
    status: param.integer({ min: 400, max: 499 }).default(400),
  },

  preCall(request, context) {
    const { kinds, allow, scope, status } = context.params;
    const total = new Map<PersonalKind, number>();
    const places: string[] = [];
    const look = (text: string, path: string): string => {
      const counts = countPersonalData(text, kinds, allow);
      for (const kind of kinds) total.set(kind, (total.get(kind) ?? 0) + (counts[kind] ?? 0));
      if (Object.keys(counts).length > 0) places.push(path);
      return text;
    };
    if (scope === "last") look(lastUserText(request), "the last user message");
    else mapText(request, look);
    if (places.length === 0) return undefined;

    const found = [...total].filter(([, count]) => count > 0);
    context.annotate("pii_found", Object.fromEntries(found));
    const list = found.map(([kind, count]) => `${kind} (${count})`).join(", ");
    const where = places.length > 3 ? `${places.slice(0, 3).join(", ")} and ${places.length - 3} more` : places.join(", ");
    return deny(status, `Not sent: personal data was found: ${list}, in ${where}. Take it out, or go back to before that message.`);
  },
});
