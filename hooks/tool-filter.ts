/** Hook: leaves tools out of requests: some by name, or all of them for models that cannot use any. */

import { defineHook, matchesName, matchesTarget, param, type MessagesRequest, type Tool } from "ccproxy/sdk";

export default defineHook({
  summary: "drops tools by name or for certain models",
  params: {
    /** Names with `*`, e.g. `mcp__github__*`. */
    drop: param.list(param.text()).default([]),
    /** When given, all others are dropped. */
    keep: param.list(param.text()).optional(),
    /** Groups, deployments, models or providers, with `*`: it does nothing for others. */
    models: param.list(param.text()).optional(),
  },

  preUpstream(request, context) {
    const { drop, keep, models } = context.params;
    const { tools } = request;
    if (tools == null || (models !== undefined && !matchesTarget(context.target, models))) return;
    const dropsAll = models !== undefined && drop.length === 0 && keep === undefined;
    const stays = ({ name }: Tool): boolean => !dropsAll && !matchesName(name, drop) && (keep === undefined || matchesName(name, keep));
    const kept = tools.filter(stays);
    if (kept.length === tools.length) return;

    context.annotate("tools_dropped", tools.length - kept.length);
    moveCacheMark(tools, stays, kept);
    if (kept.length === 0) delete request.tools;
    else request.tools = kept;
    fixChoice(request, kept);
  },
});

/** A cache mark ends the cached part of the tools: it goes to the last one that is left. */
function moveCacheMark(tools: readonly Tool[], stays: (tool: Tool) => boolean, kept: readonly Tool[]): void {
  const mark = tools.findLast((tool) => tool["cache_control"] !== undefined);
  if (mark === undefined || stays(mark)) return;
  const heir = kept.findLast((tool) => tool["defer_loading"] !== true);
  if (heir !== undefined) heir["cache_control"] = mark["cache_control"];
}

/** Asking for a tool that is gone would be refused. */
function fixChoice(request: MessagesRequest, kept: readonly Tool[]): void {
  const choice = request.tool_choice;
  if (choice === undefined) return;
  const gone = choice["type"] === "tool" && !kept.some(({ name }) => name === choice["name"]);
  if (kept.length === 0 || gone) delete request.tool_choice;
}
