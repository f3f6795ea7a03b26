/** Matches on the tools a request declares, or on those its conversation used. */

import { z } from "zod";
import { type Rule, RuleArgumentError, type RuleFactory } from "../../sdk/rule.ts";
import { readArguments } from "./arguments.ts";
import { declaredTools } from "./declared-tools.ts";

const PARAMETERS = {
  tool_name: z.string().optional().describe("a part of the tool name"),
  used: z.boolean().default(false).describe("true or false"),
  type: z.string().optional().describe('a part of the type of a server tool, such as "web_search"'),
};

export const matchToolRule: RuleFactory = {
  name: "MatchToolRule",
  summary: "a tool is declared (or was used) whose name, or type, contains a text",
  create(args): Rule {
    const { tool_name: toolName, used, type } = readArguments("MatchToolRule", PARAMETERS, args).values;
    if (toolName === undefined && type === undefined) {
      throw new RuleArgumentError("MatchToolRule: neither tool_name nor type is given; wanted at least one", ["tool_name"]);
    }
    const namePart = toolName?.toLowerCase() ?? "";
    const typePart = type?.toLowerCase();
    const fits = (name: string): boolean => name.toLowerCase().includes(namePart);
    return {
      evaluate({ body, facts }) {
        if (used && typePart === undefined) return facts.usedToolNames.some(fits);
        const matching = declaredTools(body).filter(
          (tool) => tool.names.some(fits) && (typePart === undefined || tool.type.toLowerCase().includes(typePart)),
        );
        return used ? matching.some((tool) => tool.names.some((name) => facts.usedToolNames.includes(name))) : matching.length > 0;
      },
    };
  },
};
