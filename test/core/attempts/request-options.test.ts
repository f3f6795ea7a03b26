import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mockFailure } from "../../../core/attempts/mock-failure.ts";
import { type RequestOptions, noRequestOptions, readRequestOptions, withoutControls } from "../../../core/attempts/request-options.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";
import type { RequestBody } from "../../../sdk/body.ts";
import { ProxyError } from "../../../sdk/errors.ts";

const bodyOf = (json: unknown): RequestBody => createRequestBody(Buffer.from(typeof json === "string" ? json : JSON.stringify(json)));

function read(json: unknown, headers: Readonly<Record<string, string>> = {}, dialect = "openai-chat"): RequestOptions {
  return readRequestOptions({ body: bodyOf(json), headers: { get: (name) => headers[name] } }, dialect);
}

const sent = (json: unknown, headers: Readonly<Record<string, string>> = {}, dialect = "openai-chat"): string =>
  Buffer.from(withoutControls(bodyOf(json), read(json, headers, dialect)).bytes).toString();

function refusal(json: unknown, headers: Readonly<Record<string, string>> = {}): ProxyError {
  try {
    read(json, headers);
  } catch (error) {
    if (error instanceof ProxyError) return error;
  }
  throw new Error("it was read");
}

const said = (json: unknown, headers: Readonly<Record<string, string>> = {}): Partial<RequestOptions> => {
  const { controls: _, ...options } = read(json, headers);
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify({ ...noRequestOptions }[name])),
  );
};

describe("a request that says nothing of its routing", () => {
  it.each([
    ["openai-chat", { model: "m", messages: [], metadata: { user: "tags" }, user: "u" }],
    ["anthropic", { model: "m", messages: [], metadata: { user_id: "user_1" } }],
    ["gemini", { contents: [], labels: { tags: "a" } }],
    ["openai-responses", { model: "m", input: "", metadata: { tags: "a,b" } }],
  ])("has no options, and its body is the same: %s", (dialect, json) => {
    const body = bodyOf(json);
    const options = readRequestOptions({ body, headers: { get: () => undefined } }, dialect);
    expect(options).toBe(noRequestOptions);
    expect(withoutControls(body, options)).toBe(body);
  });
});

describe("what a body says", () => {
  it.each<readonly [unknown, Partial<RequestOptions>]>([
    [{ num_retries: 3 }, { retries: 3 }],
    [{ num_retries: 0 }, { retries: 0 }],
    [{ num_retries: null }, {}],
    [{ timeout: 2.5 }, { timeoutMs: 2500 }],
    [{ stream_timeout: 1 }, { streamTimeoutMs: 1000 }],
    [{ timeout: 0.0001 }, { timeoutMs: 1 }],
    [{ tags: ["free", "free", "eu"] }, { tags: ["free", "eu"] }],
    [{ tags: [] }, {}],
    [{ metadata: { tags: ["free"] } }, { tags: ["free"] }],
    [{ metadata: { tags: ["free"] }, tags: ["paid"] }, { tags: ["paid"] }],
    [{ litellm_metadata: { tags: ["free"], other: 1 } }, { tags: ["free"] }],
    [{ disable_fallbacks: true }, { disableFallbacks: true }],
    [{ disable_fallbacks: false }, {}],
    [
      { fallbacks: ["one", "two"] },
      {
        fallbacks: [
          { name: "one", overrides: {} },
          { name: "two", overrides: {} },
        ],
      },
    ],
    [
      { fallbacks: [{ model: "one", messages: [], max_tokens: 5 }, "two"] },
      {
        fallbacks: [
          { name: "one", overrides: { messages: [], max_tokens: 5 } },
          { name: "two", overrides: {} },
        ],
      },
    ],
    [{ fallbacks: [] }, { fallbacks: [] }],
    [{ fallbacks: null }, {}],
    [{ mock_testing_fallbacks: true }, { mock: "server" }],
    [{ mock_testing_context_fallbacks: true }, { mock: "context-window" }],
    [{ mock_testing_content_policy_fallbacks: true }, { mock: "content-policy" }],
    [{ mock_testing_rate_limit_error: true }, { mock: "rate-limit" }],
    [{ mock_timeout: true }, { mock: "timeout" }],
    [{ mock_timeout: false }, {}],
  ])("%j", (json, expected) => {
    expect(said(json)).toEqual(expected);
  });

  it("may be tables, as the configuration has them", () => {
    const targets = [{ name: "big", overrides: {} }];
    expect(read({ fallbacks: [{ claude: ["big"] }, { "*": "big" }, { claude: ["late"] }] })).toMatchObject({
      fallbacks: undefined,
      fallbackTables: {
        general: new Map([
          ["claude", targets],
          ["*", targets],
        ]),
      },
    });
    expect(read({ fallbacks: [{ model: ["big"] }] }).fallbackTables).toEqual({ general: new Map([["model", targets]]) });
    expect(
      read({ context_window_fallbacks: [{ claude: ["big"] }], content_policy_fallbacks: [{ model: ["big"] }] }).fallbackTables,
    ).toEqual({
      contextWindow: new Map([["claude", targets]]),
      contentPolicy: new Map([["model", targets]]),
    });
  });

  it.each<readonly [unknown, string]>([
    [{ num_retries: "many" }, "num_retries: found a text; wanted a whole number from 0 to 10."],
    [{ num_retries: -1 }, "num_retries: found -1; wanted a whole number from 0 to 10."],
    [{ num_retries: 1.5 }, "num_retries: found 1.5; wanted a whole number from 0 to 10."],
    [{ num_retries: 1000 }, "num_retries: found 1000; wanted a whole number from 0 to 10."],
    [{ timeout: 0 }, "timeout: found 0; wanted seconds, more than 0 and at most 86400."],
    [{ timeout: { connect: 1 } }, "timeout: found an object; wanted seconds, more than 0 and at most 86400."],
    [{ stream_timeout: 1e9 }, "stream_timeout: found 1000000000; wanted seconds, more than 0 and at most 86400."],
    [{ tags: "free" }, "tags: found a text; wanted a list of texts."],
    [{ tags: ["free", 1] }, "tags.1: found 1; wanted a text."],
    [{ metadata: { tags: [null] } }, "metadata.tags.0: found null; wanted a text."],
    [{ litellm_metadata: { tags: 5 } }, "litellm_metadata.tags: found 5; wanted a list of texts."],
    [{ disable_fallbacks: "sk-secret" }, "disable_fallbacks: found a text; wanted true or false."],
    [{ mock_timeout: 1 }, "mock_timeout: found 1; wanted true or false."],
    [{ fallbacks: [5] }, "fallbacks.0: found 5; wanted a model name or an object with one."],
    [{ fallbacks: ["a", { model: "" }] }, "fallbacks.1: found an object; wanted a model name or an object with one."],
    [{ fallbacks: [{ claude: [{}] }] }, "fallbacks.0.claude.0: found an object; wanted a model name or an object with one."],
    [
      { content_policy_fallbacks: ["a"] },
      'content_policy_fallbacks.0: found a text; wanted objects of a group and those to try after it, e.g. [{"group": ["other"]}].',
    ],
  ])("is refused by its name: %j", (json, message) => {
    const error = refusal(json);
    expect([error.status, error.kind, error.message]).toEqual([400, "invalid_request_error", message]);
  });

  it.each(["api_base", "base_url", "api_key", "headers", "extra_headers"])("never is a host or a key: %s", (field) => {
    const error = refusal({ fallbacks: [{ model: "m", [field]: "https://attacker.example/sk-1" }] });
    expect(error.message).toContain(`fallbacks.0.${field}`);
    expect(error.message).not.toContain("attacker");
  });

  it("is not without bounds", () => {
    expect(refusal({ fallbacks: Array.from({ length: 51 }, () => "m") }).message).toContain("at most 50");
  });
});

describe("what headers say", () => {
  it.each<readonly [Readonly<Record<string, string>>, unknown, Partial<RequestOptions>]>([
    [{ "x-litellm-num-retries": "4" }, {}, { retries: 4 }],
    [{ "x-litellm-num-retries": "4" }, { num_retries: 1 }, { retries: 4 }],
    [{ "x-litellm-timeout": "30" }, { timeout: 1 }, { timeoutMs: 30_000 }],
    [{ "x-litellm-stream-timeout": "0.5" }, { stream_timeout: 9 }, { streamTimeoutMs: 500 }],
    [{ "x-litellm-tags": " free, eu,, free " }, {}, { tags: ["free", "eu"] }],
    [{ "x-litellm-tags": "free" }, { tags: ["paid"] }, { tags: ["paid"] }],
    [{ "x-litellm-disable-fallbacks": "true" }, {}, { disableFallbacks: true }],
    [{ "x-litellm-disable-fallbacks": "false" }, { disable_fallbacks: true }, {}],
  ])("%j with %j", (headers, json, expected) => {
    expect(said(json, headers)).toEqual(expected);
  });

  it.each<readonly [Readonly<Record<string, string>>, string]>([
    [{ "x-litellm-num-retries": "lots" }, "x-litellm-num-retries: found a text; wanted a whole number from 0 to 10."],
    [{ "x-litellm-timeout": "1e3" }, "x-litellm-timeout: found a text; wanted seconds, more than 0 and at most 86400."],
    [{ "x-litellm-disable-fallbacks": "yes" }, "x-litellm-disable-fallbacks: found a text; wanted true or false."],
  ])("is refused by its name: %j", (headers, message) => {
    expect(refusal({}, headers).message).toBe(message);
  });
});

describe("Anthropic's own fallbacks", () => {
  const beta = { "anthropic-beta": "prompt-caching-2024-07-31,server-side-fallback-2026-07-01" };

  it.each<readonly [unknown, Readonly<Record<string, string>>]>([
    [{ fallbacks: "default" }, {}],
    [{ fallbacks: "default" }, beta],
    [{ fallbacks: [{ model: "claude-haiku-5" }] }, beta],
  ])("stay: %j with %j", (json, headers) => {
    expect(read(json, headers, "anthropic")).toBe(noRequestOptions);
    expect(sent(json, headers, "anthropic")).toBe(JSON.stringify(json));
  });

  it("stay beside what is ours", () => {
    expect(sent({ fallbacks: "default", num_retries: 1, model: "m" }, {}, "anthropic")).toBe('{"fallbacks":"default","model":"m"}');
  });

  it("are ours as a list without the beta", () => {
    expect(read({ fallbacks: ["gpt"] }, {}, "anthropic").fallbacks).toEqual([{ name: "gpt", overrides: {} }]);
    expect(sent({ model: "m", fallbacks: ["gpt"] }, {}, "anthropic")).toBe('{"model":"m"}');
    expect(read({ fallbacks: ["gpt"] }, { "anthropic-beta": "prompt-caching-2024-07-31" }, "anthropic").fallbacks).toHaveLength(1);
  });

  it("are nobody's in another dialect", () => {
    expect(refusal({ fallbacks: "default" }).message).toMatch(/^fallbacks: found a text; wanted a list of model names/);
    expect(read({ fallbacks: ["gpt"] }, beta).fallbacks).toHaveLength(1);
  });
});

describe("what an upstream sees", () => {
  it.each<readonly [string, string]>([
    ['{"model":"m","num_retries":2}', '{"model":"m"}'],
    ['{"num_retries":2,"model":"m"}', '{"model":"m"}'],
    ['{ "model" : "m" , "tags":["a"] , "x" : 1.0e2 }', '{ "model" : "m" , "x" : 1.0e2 }'],
    ['{"num_retries":1,"model":"m","num_retries":2}', '{"model":"m"}'],
    ['{"num\\u005fretries":1,"model":"m"}', '{"model":"m"}'],
    ['{"timeout":1}', "{}"],
    ['{"metadata":{"tags":["a"],"user":"u"},"model":"m"}', '{"metadata":{"user":"u"},"model":"m"}'],
    ['{"metadata":{"tags":["a"]},"model":"m"}', '{"model":"m"}'],
    ['{"metadata":{"tags":"mine"},"timeout":3}', '{"metadata":{"tags":"mine"}}'],
    ['{"litellm_metadata":{"tags":["a"],"trace":1},"model":"m"}', '{"model":"m"}'],
    ['\ufeff{"model":"m","timeout":1}', '\ufeff{"model":"m"}'],
    [
      '{"messages":[{"role":"user","content":"\\"num_retries\\":1"}],"num_retries":1}',
      '{"messages":[{"role":"user","content":"\\"num_retries\\":1"}]}',
    ],
  ])("of %s", (json, expected) => {
    expect(sent(json)).toBe(expected);
  });

  it("is every other byte as it came", () => {
    const controls = fc.record({
      num_retries: fc.option(fc.nat(10), { nil: undefined }),
      timeout: fc.option(fc.constant(5), { nil: undefined }),
      tags: fc.option(fc.array(fc.string(), { maxLength: 3 }), { nil: undefined }),
      disable_fallbacks: fc.option(fc.boolean(), { nil: undefined }),
    });
    const own = fc.dictionary(
      fc.string().map((name) => `own ${name}`),
      fc.jsonValue(),
      { maxKeys: 6 },
    );
    fc.assert(
      fc.property(own, controls, fc.infiniteStream(fc.nat(1)), fc.constantFrom(undefined, 2), (mine, ours, side, indent) => {
        const wanted = Object.entries(mine);
        const mixed: (readonly [string, unknown])[] = [...wanted];
        for (const entry of Object.entries(ours)) {
          if (entry[1] !== undefined) mixed.splice(side.next().value === 0 ? 0 : mixed.length, 0, entry);
        }
        const json = JSON.stringify(Object.fromEntries(mixed), null, indent);
        const found = sent(json);
        expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(wanted))));
        for (const [, value] of wanted) expect(found).toContain(JSON.stringify(value, null, indent).split("\n")[0]);
      }),
    );
  });

  it("is a body in which things are found again", () => {
    const json = { timeout: 1, model: "m", messages: [{ role: "user", content: "hi" }] };
    const body = withoutControls(bodyOf(json), read(json));
    expect(body.value("model")).toBe("m");
    expect(body.field("timeout")).toBeUndefined();
    expect(body.edit([{ field: "model", value: "n" }]).json()).toEqual({ model: "n", messages: json.messages });
  });
});

describe("a failure that is asked for", () => {
  it.each([
    ["server", 500],
    ["context-window", 400],
    ["content-policy", 400],
    ["rate-limit", 429],
    ["timeout", 408],
  ] as const)("is told as one, and is held against nobody: %s", (type, status) => {
    const failure = mockFailure(type);
    expect(failure).toMatchObject({ class: type, status, scope: "none", retryAfterMs: undefined });
    expect(failure.error.message).toMatch(/mock_/);
    expect(failure.told).toEqual({ type: "error", error: failure.error });
  });
});
