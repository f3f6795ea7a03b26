/** The built-in rules. */

import { definePlugin, type Plugin } from "../../sdk/plugin.ts";
import { agentTypeRule } from "./agent-type-rule.ts";
import { headerRule } from "./header-rule.ts";
import { imageRule } from "./image-rule.ts";
import { matchModelRule } from "./match-model-rule.ts";
import { matchToolRule } from "./match-tool-rule.ts";
import { regexRule } from "./regex-rule.ts";
import { requestClassRule } from "./request-class-rule.ts";
import { thinkingRule } from "./thinking-rule.ts";
import { tokenCountRule } from "./token-count-rule.ts";

export const rules: Plugin = definePlugin({
  name: "rules",
  setup: () => ({
    rules: [tokenCountRule, matchModelRule, thinkingRule, matchToolRule, requestClassRule, agentTypeRule, headerRule, regexRule, imageRule],
  }),
});
