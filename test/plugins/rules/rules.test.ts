import { describe, expect, it } from "vitest";
import { rules } from "../../../plugins/rules/index.ts";
import type { Facts } from "../../../sdk/facts.ts";
import { type Rule, RuleArgumentError, type TokenCountMode } from "../../../sdk/rule.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { countsTo, type RuleRequestOptions, ruleRequest } from "../../helpers/rule-request.ts";

function makeRule(name: string, named: Record<string, unknown> = {}, positional: unknown[] = []): Rule {
  const factory = rules.setup().rules?.find((rule) => rule.name === name);
  if (factory === undefined) throw new Error(`no rule is called ${name}`);
  return factory.create({ named, positional });
}

function failure(name: string, named: Record<string, unknown>, positional: unknown[] = []): RuleArgumentError {
  try {
    makeRule(name, named, positional);
  } catch (error) {
    if (error instanceof RuleArgumentError) return error;
    throw error;
  }
  throw new Error(`${name} took these arguments`);
}

const verdict = async (rule: Rule, options: RuleRequestOptions): Promise<unknown> => rule.evaluate(ruleRequest(options));
const matches = async (name: string, named: Record<string, unknown>, options: RuleRequestOptions): Promise<unknown> =>
  verdict(makeRule(name, named), options);

describe("the plugin", () => {
  it("brings the nine rules under their names in the configuration", () => {
    expect(rules.setup().rules?.map((rule) => rule.name)).toEqual([
      "TokenCountRule",
      "MatchModelRule",
      "ThinkingRule",
      "MatchToolRule",
      "RequestClassRule",
      "AgentTypeRule",
      "HeaderRule",
      "RegexRule",
      "ImageRule",
    ]);
  });
});

describe("arguments", () => {
  it("maps positional arguments onto the order of the parameters", async () => {
    expect(await verdict(makeRule("TokenCountRule", {}, [10]), { tokens: countsTo(11) })).toBe(true);
    const rule = makeRule("HeaderRule", {}, ["x-priority", "high"]);
    expect(await verdict(rule, { headers: { "x-priority": "high" } })).toBe(true);
    expect(await verdict(rule, { headers: { "x-priority": "low" } })).toBe(false);
  });

  it.each<[name: string, named: Record<string, unknown>, positional: unknown[], message: RegExp, path: (string | number)[]]>([
    [
      "TokenCountRule",
      { treshold: 5 },
      [],
      /no parameter "treshold"; it takes threshold, count\. Did you mean "threshold"\?/,
      ["treshold"],
    ],
    ["TokenCountRule", { zebra: 5 }, [], /no parameter "zebra"; it takes threshold, count\.$/, ["zebra"]],
    ["TokenCountRule", {}, [], /threshold is missing; wanted a whole number of tokens/, ["threshold"]],
    ["TokenCountRule", { threshold: "60_000" }, [], /threshold is the text "60_000"; wanted a whole number/, ["threshold"]],
    ["TokenCountRule", { threshold: 1.5 }, [], /threshold is 1\.5/, ["threshold"]],
    ["TokenCountRule", { threshold: null }, [], /threshold is null/, ["threshold"]],
    ["TokenCountRule", {}, [{ threshold: 5 }], /threshold is \{"threshold":5\}/, [0]],
    ["TokenCountRule", {}, [1, "all", 2], /takes 2 parameters \(threshold, count\), found 3 values/, [2]],
    ["TokenCountRule", { threshold: 2 }, [1], /threshold is given twice/, ["threshold"]],
    ["TokenCountRule", { threshold: 2, count: "text" }, [], /count is the text "text"; wanted "all" or "messages_text"/, ["count"]],
    ["MatchModelRule", {}, [], /model_name is missing/, ["model_name"]],
    ["MatchModelRule", { model_name: 4 }, [], /model_name is 4; wanted a part of the model name/, ["model_name"]],
    ["ThinkingRule", { types: "adaptative" }, [], /types is the text "adaptative"; wanted "enabled", "adaptive"/, ["types"]],
    ["ThinkingRule", { types: [] }, [], /types is the list \[\]/, ["types"]],
    ["ThinkingRule", { min_effort: "ultra" }, [], /wanted one of low, medium, high, xhigh, max/, ["min_effort"]],
    ["MatchToolRule", {}, [], /neither tool_name nor type/, ["tool_name"]],
    ["MatchToolRule", { tool_name: "x", used: "yes" }, [], /used is the text "yes"; wanted true or false/, ["used"]],
    ["RequestClassRule", { class: "unknown" }, [], /wanted one of main, subagent, auxiliary, compaction/, ["class"]],
    ["RequestClassRule", {}, [["main", "other"]], /class is the list \["main","other"\]/, [0]],
    ["AgentTypeRule", { agent_type: "" }, [], /agent_type is the text ""/, ["agent_type"]],
    ["HeaderRule", { header: "x y" }, [], /wanted the name of a header/, ["header"]],
    ["HeaderRule", { header: "Authorization" }, [], /authorization carries a credential/, ["header"]],
    ["HeaderRule", { header: "x", value: "a", contains: "b" }, [], /value and contains are given together/, ["contains"]],
    ["HeaderRule", { header: "x", pattern: "(" }, [], /pattern does not compile/, ["pattern"]],
    ["RegexRule", { path: "messages[x]", pattern: "a" }, [], /path "messages\[x\]", position 9: found "\[x\]", wanted/, ["path"]],
    ["RegexRule", {}, ["messages[x]", "a"], /position 9/, [0]],
    ["RegexRule", { path: "model", pattern: "(?=a)" }, [], /Lookaround and back-references are not part/, ["pattern"]],
    ["RegexRule", { path: "model", pattern: "a", flags: "ig" }, [], /flags is "ig"; wanted any of i, m, s/, ["flags"]],
    ["RegexRule", { path: "model", pattern: "a", flags: "ii" }, [], /each once/, ["flags"]],
    ["ImageRule", { kind: "png" }, [], /takes no parameters, found "kind"/, ["kind"]],
    ["ImageRule", {}, [1], /takes no parameters/, [0]],
  ])("%s refuses %j %j", (name, named, positional, message, path) => {
    const error = failure(name, named, positional);
    expect(error.message).toMatch(message);
    expect(error.path).toEqual(path);
  });
});

describe("TokenCountRule", () => {
  const rule = makeRule("TokenCountRule", { threshold: 1000 });

  it.each([
    [1001, true],
    [1000, false],
    [999, false],
  ])("a request of %i tokens against 1000: %s", async (count, expected) => {
    expect(await verdict(rule, { tokens: countsTo(count) })).toBe(expected);
  });

  it.each<[body: Record<string, unknown>, expected: boolean]>([
    [{ token_count: 1001 }, true],
    [{ num_tokens: 1001 }, true],
    [{ input_tokens: 1001 }, true],
    [{ token_count: 1000 }, false],
    [{ token_count: 5, num_tokens: 2000, input_tokens: null }, true],
    [{ token_count: null, num_tokens: null, input_tokens: null }, false],
    [{ token_count: "5000" }, false],
    [{ token_count: [5000] }, false],
    [{ token_count: -5 }, false],
    [{ token_count: 999_999_999 }, true],
    [{}, false],
  ])("takes a stated count into account: %j → %s", async (body, expected) => {
    expect(await verdict(rule, { body })).toBe(expected);
  });

  it("counts everything unless told to count the text of messages", async () => {
    const modes: (TokenCountMode | undefined)[] = [];
    const tokens = { count: () => Promise.resolve(0), exceeds: (_threshold: number, mode?: TokenCountMode) => modes.push(mode) > 99 };
    await verdict(rule, { tokens });
    await verdict(makeRule("TokenCountRule", { threshold: 1000, count: "messages_text" }), { tokens });
    expect(modes).toEqual(["all", "messages_text"]);
  });

  it("waits for a count that takes time", async () => {
    const tokens = { count: () => Promise.resolve(5), exceeds: () => Promise.resolve(true) };
    expect(await verdict(rule, { tokens })).toBe(true);
  });
});

describe("MatchModelRule", () => {
  it.each<[part: string, model: unknown, expected: boolean]>([
    ["claude-3-5-haiku-20241022", "claude-3-5-haiku-20241022", true],
    ["claude-3-5-haiku", "claude-3-5-haiku-20241022", true],
    ["claude-3-5-haiku", "anthropic/claude-3-5-haiku@vertex", true],
    ["claude-3-5-haiku", "claude-3-5", false],
    ["claude-3-5-haiku", "claude-3-haiku", false],
    ["claude-3-5-haiku", "claude-35-haiku", false],
    ["haiku", "claude-Haiku", false],
    ["haiku", "", false],
    ["haiku", undefined, false],
    ["haiku", null, false],
    ["haiku", ["haiku"], false],
    ["", "anything", true],
    ["", undefined, false],
  ])("%j against %j: %s", async (model_name, model, expected) => {
    expect(await matches("MatchModelRule", { model_name }, { body: { model } })).toBe(expected);
  });
});

describe("ThinkingRule", () => {
  it.each([true, false, null, "", 0, [], "enabled", { type: "disabled" }, { type: "adaptive" }])(
    "without parameters a thinking field of %j matches",
    async (thinking) => {
      expect(await matches("ThinkingRule", {}, { body: { thinking } })).toBe(true);
    },
  );

  it("does not match without the field, wherever else the word stands", async () => {
    expect(
      await matches("ThinkingRule", {}, { body: { messages: [{ role: "user", content: "thinking" }], metadata: { thinking: true } } }),
    ).toBe(false);
  });

  it.each<[params: Record<string, unknown>, facts: Partial<Facts>, expected: boolean]>([
    [{ types: "adaptive" }, { thinking: "adaptive" }, true],
    [{ types: "adaptive" }, { thinking: "enabled" }, false],
    [{ types: ["enabled", "adaptive"] }, { thinking: "enabled" }, true],
    [{ types: ["enabled", "adaptive"] }, { thinking: "disabled" }, false],
    [{ types: ["enabled", "adaptive"] }, { thinking: "none" }, false],
    [{ min_effort: "high" }, { effort: "high" }, true],
    [{ min_effort: "high" }, { effort: "max" }, true],
    [{ min_effort: "high" }, { effort: "medium" }, false],
    [{ min_effort: "low" }, { effort: undefined }, false],
    [{ min_effort: "low" }, { effort: "turbo" }, false],
    [{ types: "adaptive", min_effort: "xhigh" }, { thinking: "adaptive", effort: "xhigh" }, true],
    [{ types: "enabled", min_effort: "xhigh" }, { thinking: "adaptive", effort: "xhigh" }, false],
  ])("%j with %j: %s", async (params, facts, expected) => {
    expect(await matches("ThinkingRule", params, { body: { thinking: {} }, facts })).toBe(expected);
  });

  it("with parameters still needs the field", async () => {
    expect(await matches("ThinkingRule", { min_effort: "low" }, { facts: { effort: "max" } })).toBe(false);
  });
});

describe("MatchToolRule", () => {
  it.each<[tools: unknown, expected: boolean]>([
    [[{ name: "WebSearch" }], true],
    [["WebSearch"], true],
    [[{ name: "websearch" }], true],
    [[{ name: "WEBSEARCH" }], true],
    [[{ name: "mcp__WebSearchPlus" }], true],
    [[{ type: "function", function: { name: "WebSearch" } }], true],
    [[null, 5, ["x"], "other", { name: "web" }, { function: { name: "my_websearch_tool" } }], true],
    [[{ name: "Grep", function: { name: "WebSearch" } }], true],
    [[{ name: "Grep", description: "WebSearch", type: "WebSearch" }], false],
    [[{ name: { name: "WebSearch" } }], false],
    [[{ name: 5 }], false],
    [[null, 5, true, ["WebSearch"]], false],
    [[{ function: "WebSearch" }], false],
    [[{ name: "web_search", type: "web_search_20250305" }], false],
    [[], false],
    [undefined, false],
    [null, false],
    ["WebSearch", false],
    [{ name: "WebSearch" }, false],
  ])("WebSearch among the declared tools %j: %s", async (tools, expected) => {
    expect(await matches("MatchToolRule", { tool_name: "WebSearch" }, { body: { tools } })).toBe(expected);
  });

  it("finds the server tool of an inner web search by type", async () => {
    const search = { body: claudeCodeBody({ kind: "auxiliary" }) };
    expect(await matches("MatchToolRule", { type: "web_search" }, search)).toBe(true);
    expect(await matches("MatchToolRule", { tool_name: "web_search", type: "web_search" }, search)).toBe(true);
    expect(await matches("MatchToolRule", { tool_name: "fetch", type: "web_search" }, search)).toBe(false);
    expect(await matches("MatchToolRule", { type: "web_search" }, { body: claudeCodeBody() })).toBe(false);
  });

  it("with `used` looks at the tools the conversation called", async () => {
    const body = claudeCodeBody({ turns: 1 });
    const facts = { usedToolNames: ["Read"] };
    expect(await matches("MatchToolRule", { tool_name: "read", used: true }, { body, facts })).toBe(true);
    expect(await matches("MatchToolRule", { tool_name: "Bash", used: true }, { body, facts })).toBe(false);
    expect(await matches("MatchToolRule", { tool_name: "Bash" }, { body, facts })).toBe(true);
  });

  it("with `used` and `type` wants a declared tool of that type that was called", async () => {
    const body = { tools: [{ type: "bash_20250124", name: "bash" }, { name: "Bash2" }] };
    const wanted = { type: "bash_", used: true };
    expect(await matches("MatchToolRule", wanted, { body, facts: { usedToolNames: ["bash"] } })).toBe(true);
    expect(await matches("MatchToolRule", wanted, { body, facts: { usedToolNames: ["Bash2"] } })).toBe(false);
  });
});

describe("RequestClassRule", () => {
  it.each<[wanted: unknown, requestClass: Facts["requestClass"], expected: boolean]>([
    ["main", "main", true],
    ["main", "unknown", false],
    ["main", "subagent", false],
    [["subagent", "auxiliary"], "auxiliary", true],
    [["subagent", "auxiliary"], "compaction", false],
  ])("%j against a request of class %s: %s", async (wanted, requestClass, expected) => {
    expect(await matches("RequestClassRule", { class: wanted }, { facts: { requestClass } })).toBe(expected);
  });
});

describe("AgentTypeRule", () => {
  it.each<[wanted: unknown, agentType: string | undefined, expected: boolean]>([
    ["Explore", "Explore", true],
    ["explore", "Explore", true],
    ["Explore", "Explorer", false],
    ["general*", "general-purpose", true],
    ["*review*", "my-plugin:code-reviewer", true],
    ["*:*:end", "a:b:end", true],
    ["a*b*c", "a-b", false],
    ["ab*ba", "aba", false],
    ["*", "anything", true],
    ["*", undefined, false],
    [["Plan", "Explore"], "Plan", true],
    [["Plan", "Explore"], "other", false],
    ["a.c", "abc", false],
  ])("%j against %j: %s", async (wanted, agentType, expected) => {
    expect(await matches("AgentTypeRule", { agent_type: wanted }, { facts: { agentType } })).toBe(expected);
  });
});

describe("HeaderRule", () => {
  const headers = { "user-agent": "claude-cli/2.1.330 (external, sdk-cli)", "x-empty": "" };

  it.each<[params: Record<string, unknown>, expected: boolean]>([
    [{ header: "User-Agent" }, true],
    [{ header: "x-empty" }, true],
    [{ header: "x-absent" }, false],
    [{ header: "user-agent", value: "claude-cli/2.1.330 (external, sdk-cli)" }, true],
    [{ header: "user-agent", value: "Claude-cli/2.1.330 (external, sdk-cli)" }, false],
    [{ header: "user-agent", value: "claude-cli" }, false],
    [{ header: "x-empty", value: "" }, true],
    [{ header: "user-agent", contains: "SDK-CLI" }, true],
    [{ header: "user-agent", contains: "bot" }, false],
    [{ header: "user-agent", pattern: "^claude-cli/2\\." }, true],
    [{ header: "user-agent", pattern: "(?i)^CLAUDE-CLI" }, true],
    [{ header: "user-agent", pattern: "^cli" }, false],
    [{ header: "x-absent", pattern: ".*" }, false],
  ])("%j: %s", async (params, expected) => {
    expect(await matches("HeaderRule", params, { headers })).toBe(expected);
  });
});

describe("RegexRule", () => {
  const body = {
    model: "claude-opus-5-5",
    max_tokens: 64_000,
    stream: true,
    metadata: { environment: "staging", "a b": "quoted" },
    messages: [
      { role: "user", content: "first question" },
      { role: "assistant", content: [{ type: "text", text: "an answer" }] },
      {
        role: "user",
        content: [
          { type: "tool_result", content: "x" },
          { type: "text", text: "please REVIEW\nthis é 🙂" },
        ],
      },
    ],
    nothing: null,
  };

  it.each<[path: unknown, pattern: string, flags: string, expected: boolean]>([
    ["messages[-1].content[*].text", "REVIEW", "", true],
    ["$.messages[-1].content[*].text", "REVIEW", "", true],
    ["messages[-1].content[*].text", "review", "", false],
    ["messages[-1].content[*].text", "review", "i", true],
    ["messages[*].content[*].text", "answer$", "", true],
    ["messages[0].content", "^first", "", true],
    ["messages[0].content[*].text", "first", "", false],
    [["messages[0].content[*].text", "messages[0].content"], "first", "", true],
    ["messages[-1].content[-1].text", "^this", "", false],
    ["messages[-1].content[-1].text", "^this", "m", true],
    ["messages[-1].content[-1].text", "REVIEW.this", "", false],
    ["messages[-1].content[-1].text", "REVIEW.this", "s", true],
    ["messages[-1].content[-1].text", "é 🙂$", "", true],
    ["messages[9].content", "", "", false],
    ["messages[-9].content", "", "", false],
    ["max_tokens", "^64000$", "", true],
    ["stream", "true", "", true],
    ["nothing", "null", "", false],
    ["metadata", "staging", "", false],
    ["metadata.environment", "^staging$", "", true],
    ["metadata[*]", "^staging$", "", true],
    ['metadata["a b"]', "quoted", "", true],
    ['["metadata"]["a b"]', "quoted", "", true],
    ["missing.deep[0]", ".", "", false],
    ["model.text", ".", "", false],
  ])("%j against /%s/%s: %s", async (path, pattern, flags, expected) => {
    expect(await matches("RegexRule", { path, pattern, flags }, { body })).toBe(expected);
  });

  it("answers at once where a backtracking engine would hang", async () => {
    const evil = { messages: [{ role: "user", content: `${"a".repeat(5000)}b` }] };
    expect(await matches("RegexRule", { path: "messages[*].content", pattern: "^(a+)+$" }, { body: evil })).toBe(false);
  });

  it("lets other work run while it reads a large conversation", async () => {
    const request = ruleRequest({ body: claudeCodeBody({ bytes: 1_000_000 }) });
    let turns = 0;
    // Turns of the loop, not milliseconds: how many there are depends on the rule alone.
    const tick = (): void => {
      turns++;
      ticking = setImmediate(tick);
    };
    let ticking = setImmediate(tick);
    const rule = makeRule("RegexRule", { path: "messages[*].content[*].content", pattern: "[A-Z]{3}-\\d{9}" });
    expect(await rule.evaluate(request)).toBe(false);
    clearImmediate(ticking);
    expect(turns).toBeGreaterThan(2);
  });
});

describe("ImageRule", () => {
  it("follows the fact", async () => {
    expect(await matches("ImageRule", {}, { facts: { hasImage: true } })).toBe(true);
    expect(await matches("ImageRule", {}, { facts: { hasImage: false } })).toBe(false);
  });
});

describe("every rule", () => {
  it("does not match an empty request or one whose fields are all null", async () => {
    const made = [
      makeRule("TokenCountRule", { threshold: 0 }),
      makeRule("MatchModelRule", { model_name: "claude" }),
      makeRule("ThinkingRule", { types: ["enabled", "adaptive"] }),
      makeRule("MatchToolRule", { tool_name: "x" }),
      makeRule("RequestClassRule", { class: ["main", "subagent", "auxiliary", "compaction"] }),
      makeRule("AgentTypeRule", { agent_type: "*" }),
      makeRule("HeaderRule", { header: "x-any" }),
      makeRule("RegexRule", { path: ["messages[*].content", "model", "tools[*].name"], pattern: "" }),
      makeRule("ImageRule"),
    ];
    const nulls = { model: null, messages: null, tools: null, system: null, thinking: null, token_count: null };
    for (const rule of made) {
      expect(await verdict(rule, { body: {} })).toBe(false);
      expect(await verdict(rule, { body: nulls })).toBe(false);
    }
  });
});
