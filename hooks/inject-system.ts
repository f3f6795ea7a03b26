/** Hook: adds a text to the system prompt, in whichever form that has; a text that is there already is not added again. */

import { defineHook, matchesTarget, param, textOf } from "ccproxy/sdk";

export default defineHook({
  summary: "adds a text to the system prompt",
  params: {
    text: param.text(),
    /** `start`: before everything else, which ends prompt caches once. Keep it at the `end` for Claude Code with a login. */
    position: param.choice("start", "end").default("end"),
    /** Groups, deployments, models or providers, with `*`. All when left out. */
    targets: param.list(param.text()).optional(),
  },

  preUpstream(request, { params: { text, position, targets }, target }) {
    if (targets !== undefined && !matchesTarget(target, targets)) return;
    const { system } = request;
    if (textOf(system).includes(text)) return;
    if (system === undefined || system.length === 0) request.system = text;
    else if (typeof system === "string") request.system = position === "start" ? `${text}\n\n${system}` : `${system}\n\n${text}`;
    // A block of its own: the cache marks of the others stay where they are.
    else if (position === "start") system.unshift({ type: "text", text });
    else system.push({ type: "text", text });
  },
});
