import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type FallbackQuestion, fallbackKey, fallbacksFor } from "../../../core/attempts/fallbacks.ts";
import type { FailureClass } from "../../../core/attempts/failure.ts";
import { noRequestOptions } from "../../../core/attempts/request-options.ts";
import { type FallbackConfig, type FallbackTable, type FallbackTarget, defaultRouter } from "../../../core/config/router-types.ts";
import { failureOf, statuses } from "./failures.ts";

const target = (name: string, overrides: FallbackTarget["overrides"] = {}): FallbackTarget => ({ name, overrides });
const table = (entries: Readonly<Record<string, readonly string[]>>): FallbackTable =>
  new Map(Object.entries(entries).map(([group, names]) => [group, names.map((name) => target(name))]));
const config = (overrides: Partial<FallbackConfig>): FallbackConfig => ({ ...defaultRouter.fallbacks, ...overrides });

function names(type: FailureClass, overrides: Partial<FallbackQuestion>): readonly string[] {
  const question: FallbackQuestion = {
    name: "claude",
    group: "claude",
    config: defaultRouter.fallbacks,
    options: noRequestOptions,
    attempted: new Set(["claude"]),
    depth: 0,
    ...overrides,
  };
  return fallbacksFor(failureOf(type), question).map(fallbackKey);
}

const general = table({ claude: ["gpt", "gemini"], "*": ["last"] });

describe("LiteLLM §3.7: fallbacks", () => {
  it.each(Object.keys(statuses) as readonly FailureClass[])("follow any failure: %s", (type) => {
    expect(names(type, { config: config({ general }) })).toEqual(["gpt", "gemini"]);
  });

  it.each<readonly [string, Partial<FallbackQuestion>, readonly string[]]>([
    ["are none where none are configured", {}, []],
    ["are those of every group, for one without its own", { name: "other", group: "other", config: config({ general }) }, ["last"]],
    [
      "are those of the name without its provider",
      { name: "anthropic/claude", group: "anthropic/*", config: config({ general }) },
      ["gpt", "gemini"],
    ],
    [
      "are those of the very name, before",
      { name: "a/claude", group: "a/claude", config: config({ general: table({ claude: ["one"], "a/claude": ["two"] }) }) },
      ["two"],
    ],
    ["are those of the group, for an alias", { name: "alias", group: "claude", config: config({ general }) }, ["gpt", "gemini"]],
    [
      "are the alias's own, before",
      { name: "alias", group: "claude", config: config({ general: table({ claude: ["one"], alias: ["two"] }) }) },
      ["two"],
    ],
    ["are none that was tried", { config: config({ general }), attempted: new Set(["claude", "gpt"]) }, ["gemini"]],
    ["are not the group itself", { config: config({ general: table({ claude: ["claude", "gpt"] }) }) }, ["gpt"]],
    [
      "are none in a circle",
      { name: "gpt", group: "gpt", config: config({ general: table({ gpt: ["claude"] }) }), attempted: new Set(["claude", "gpt"]) },
      [],
    ],
    ["are all of a list", { config: config({ general: table({ claude: ["1", "2", "3"] }), max: 2 }), depth: 1 }, ["1", "2", "3"]],
    ["are none at the end of a chain", { config: config({ general, max: 3 }), depth: 3 }, []],
    ["for every group are none for a fallback", { name: "x", group: "x", config: config({ general }), depth: 1 }, []],
    ["are none where none may be", { config: config({ general, max: 0 }) }, []],
    [
      "are none where the request wants none",
      { config: config({ general }), options: { ...noRequestOptions, disableFallbacks: true } },
      [],
    ],
    ["are none where the request says none", { config: config({ general }), options: { ...noRequestOptions, fallbacks: [] } }, []],
    [
      "are the request's, in place of the configured ones",
      { config: config({ general }), options: { ...noRequestOptions, fallbacks: [target("mine")] } },
      ["mine"],
    ],
    [
      "are the request's table, in place of the configured one",
      { config: config({ general }), options: { ...noRequestOptions, fallbackTables: { general: table({ gpt: ["mine"] }) } } },
      [],
    ],
  ])("%s", (_, question, expected) => {
    expect(names("server", question)).toEqual(expected);
  });

  it("with other fields in the request are another attempt", () => {
    const own = [target("claude", { max_tokens: 5 }), target("claude"), target("gpt", { max_tokens: 5 })];
    const options = { ...noRequestOptions, fallbacks: own };
    expect(names("server", { options })).toEqual(['claude {"max_tokens":5}', 'gpt {"max_tokens":5}']);
    expect(names("server", { options, attempted: new Set(["claude", 'claude {"max_tokens":5}']) })).toEqual(['gpt {"max_tokens":5}']);
  });

  describe.each([
    ["context-window", "contextWindow"],
    ["content-policy", "contentPolicy"],
  ] as const)("for %s", (type, field) => {
    const other = type === "context-window" ? "content-policy" : "context-window";

    it("are those of their own table", () => {
      const tables = config({ general, [field]: table({ claude: ["big"] }) });
      expect(names(type, { config: tables })).toEqual(["big"]);
      expect(names("server", { config: tables })).toEqual(["gpt", "gemini"]);
      expect(names(other, { config: tables })).toEqual(["gpt", "gemini"]);
    });

    it("are none where that table has none for the group", () => {
      expect(names(type, { config: config({ general, [field]: table({ gpt: ["big"] }) }) })).toEqual([]);
    });

    it("are that table's for every group", () => {
      expect(names(type, { config: config({ general, [field]: table({ "*": ["big"] }) }) })).toEqual(["big"]);
    });

    it("are the request's table's, before the configured one", () => {
      const options = { ...noRequestOptions, fallbackTables: { [field]: table({ claude: ["mine"] }) } };
      expect(names(type, { config: config({ general, [field]: table({ claude: ["big"] }) }), options })).toEqual(["mine"]);
      expect(names("server", { config: config({ general }), options })).toEqual(["gpt", "gemini"]);
    });

    it("are the request's list, before any table", () => {
      const options = { ...noRequestOptions, fallbacks: [target("mine")] };
      expect(names(type, { config: config({ [field]: table({ claude: ["big"] }) }), options })).toEqual(["mine"]);
    });
  });

  it("are never more than may be, nor one that was tried, whatever is configured", () => {
    const groups = fc.constantFrom("a", "b", "p/a", "p/b", "*");
    const lists = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.dictionary(groups, lists),
        groups,
        fc.uniqueArray(fc.constantFrom("a", "b", "c", "d")),
        fc.nat(4),
        fc.nat(6),
        (entries, name, attempted, max, depth) => {
          const found = names("server", {
            name,
            group: name,
            config: config({ general: table(entries), max }),
            attempted: new Set(attempted),
            depth,
          });
          if (depth >= max) expect(found).toEqual([]);
          for (const each of found) expect(attempted).not.toContain(each);
        },
      ),
    );
  });
});
