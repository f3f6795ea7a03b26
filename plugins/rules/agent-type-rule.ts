/** Matches on the kind of subagent a request comes from. */

import { z } from "zod";
import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { oneOrMore, readArguments } from "./arguments.ts";

const PARAMETERS = { agent_type: oneOrMore(z.string().min(1)).describe('an agent type, with "*" for any text, or a list of these') };

export const agentTypeRule: RuleFactory = {
  name: "AgentTypeRule",
  summary: "the request comes from a subagent of a type",
  create(args): Rule {
    const { agent_type: wanted } = readArguments("AgentTypeRule", PARAMETERS, args).values;
    const patterns = wanted.map((pattern) => pattern.toLowerCase().split("*"));
    return {
      evaluate({ facts }) {
        const type = facts.agentType?.toLowerCase();
        return type !== undefined && patterns.some((parts) => fits(type, parts));
      },
    };
  },
};

/** Whether the text is the parts in order with anything in between: a glob without backtracking. */
function fits(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
