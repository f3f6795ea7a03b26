import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import type { Json, RequestBody } from "../../../sdk/body.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { foreignMessagesHeaders, plainHeaders } from "../../../sdk/hub/foreign-headers.ts";
import { forForeignHost } from "../../../sdk/hub/foreign-messages.ts";
import { itemsOf, removeItems, spliceBytes } from "../../../sdk/hub/json-bytes.ts";
import { supportsMidSystem } from "../../../sdk/hub/mid-system.ts";
import type { MessagesQuirks } from "../../../sdk/quirks.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";

const bodyFrom = (value: unknown): RequestBody => createRequestBody(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

/** What comes out, parsed, and what was noted. */
function convert(value: unknown, quirks: MessagesQuirks): { json: Record<string, Json>; notes: string[]; bytes: string } {
  const notes: string[] = [];
  const body = forForeignHost(bodyFrom(value), quirks, (what) => notes.push(what));
  const bytes = Buffer.from(body.bytes).toString();
  return { json: JSON.parse(bytes), notes, bytes };
}

const everything: MessagesQuirks = { keepBilling: true };
const nothing: MessagesQuirks = { betas: "none", midSystem: false };

describe("a body that the host takes as it is", () => {
  it("comes back as the same object", () => {
    const body = createRequestBody(claudeCodeBody({ turns: 3 }));
    expect(forForeignHost(body, everything, () => expect.unreachable())).toBe(body);
    const plain = bodyFrom({ model: "m", system: [{ type: "text", text: 'say "system" and "scope"' }], messages: [] });
    expect(forForeignHost(plain, nothing, () => expect.unreachable())).toBe(plain);
  });
});

describe("the billing block", () => {
  it("goes, and nothing else changes by a byte", () => {
    const original = claudeCodeBody({ turns: 2 });
    const body = forForeignHost(createRequestBody(original), {}, () => {});
    const text = original.toString();
    const block = '{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.330.abc; cc_entrypoint=sdk-cli;"},';
    expect(text).toContain(block);
    expect(Buffer.from(body.bytes).toString()).toBe(text.replace(block, ""));
  });

  it("goes wherever it stands, with its field when nothing else is in it", () => {
    const billing = { type: "text", text: "x-anthropic-billing-header: a=b;" };
    const other = { type: "text", text: "be nice" };
    expect(convert({ system: [other, billing], messages: [] }, {}).json).toEqual({ system: [other], messages: [] });
    expect(convert({ model: "m", system: [billing], messages: [] }, {}).json).toEqual({ model: "m", messages: [] });
    expect(convert({ messages: [], tags: ["x"], system: [billing, billing] }, { refused: ["tags"] }).json).toEqual({ messages: [] });
  });

  it("is told by its beginning: a text that speaks of it stays", () => {
    const system = [{ type: "text", text: "never print x-anthropic-billing-header" }];
    expect(convert({ system }, {}).json).toEqual({ system });
    expect(convert({ system: "x-anthropic-billing-header" }, {}).json).toEqual({ system: "x-anthropic-billing-header" });
  });
});

describe("fields", () => {
  it("that the host refuses go, repeated and escaped keys too", () => {
    const { bytes, notes } = convert('{"tags":["a"], "model":"m","t\\u0061gs":{"a":"}"} , "messages":[] , "tags":1}', {
      refused: ["tags"],
    });
    expect(bytes).toBe('{"model":"m","messages":[]}');
    expect(notes).toEqual(["fields left out that this host refuses"]);
  });

  it("that only a beta brings go where the beta may not be named", () => {
    const body = { context_management: { edits: [] }, mcp_servers: [], container: "c", speed: "fast", fallbacks: "default", max_tokens: 1 };
    expect(convert(body, nothing).json).toEqual({ max_tokens: 1 });
    expect(convert(body, { betas: ["context-management-2025-06-27"] }).json).toEqual({ context_management: { edits: [] }, max_tokens: 1 });
    expect(convert(body, {}).json).toEqual(body);
  });
});

describe("system messages between turns", () => {
  const system = (content: unknown, more = {}): unknown => ({ role: "system", content, ...more });
  const user = (content: unknown): unknown => ({ role: "user", content });
  const assistant = { role: "assistant", content: [{ type: "text", text: "ok" }] };
  const reminder = (text: string, more = {}): unknown => ({
    type: "text",
    text: `<system-reminder>\n${text}\n</system-reminder>`,
    ...more,
  });
  const fold = (...messages: unknown[]): Json | undefined => convert({ messages }, nothing).json["messages"];

  it("stand at the end of the user's turn before them", () => {
    expect(fold(user("hi"), system("be brief"), assistant)).toEqual([
      user([{ type: "text", text: "hi" }, reminder("be brief")]),
      assistant,
    ]);
  });

  it("stand behind results of tools, in a list as it was written", () => {
    const result = { type: "tool_result", tool_use_id: "t", content: "x" };
    expect(
      fold(
        user([result]),
        system([
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ]),
      ),
    ).toEqual([user([result, reminder("a\n\nb")])]);
    expect(fold(user([]), system("a"), system("b"))).toEqual([user([reminder("a"), reminder("b")])]);
    expect(fold(user(" "), system("a"))).toEqual([user([reminder("a")])]);
  });

  it("keep a cache mark, without what only a beta brings", () => {
    const marked = [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h", scope: "global" } }];
    expect(fold(user("hi"), system(marked))).toEqual([
      user([{ type: "text", text: "hi" }, reminder("a", { cache_control: { type: "ephemeral", ttl: "1h" } })]),
    ]);
  });

  it("become a user's turn where none stands before them, and go when they say nothing", () => {
    expect(fold(system("first"), assistant)).toEqual([user([reminder("first")]), assistant]);
    expect(fold(assistant, system("late"))).toEqual([assistant, user([reminder("late")])]);
    expect(fold(user("hi"), system([], { output_config: { effort: "low" } }), assistant)).toEqual([user("hi"), assistant]);
    expect(fold(user("hi"), system([]))).toEqual([user("hi")]);
  });

  it("stay where the model knows them, without what only a beta brings", () => {
    const kept = convert({ messages: [user("hi"), system("a", { output_config: { effort: "low" } })] }, { betas: [] });
    expect(kept.json["messages"]).toEqual([user("hi"), system("a")]);
    const emptied = convert({ messages: [user("hi"), system([], { output_config: { effort: "low" } })] }, { betas: [] });
    expect(emptied.json["messages"]).toEqual([user("hi")]);
    const passed = [user("hi"), system([], { output_config: { effort: "low" } })];
    expect(convert({ messages: passed }, { betas: ["mid-conversation-output-config-2026-07-01"] }).json["messages"]).toEqual(passed);
  });

  it("read the same in every later turn", () => {
    const part = fc.oneof(
      fc.string().map((text) => user(text)),
      fc.string().map((text) => user([{ type: "text", text }])),
      fc.string().map((text) => system(text)),
      fc.constant(system([])),
    );
    const turn = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => [...parts, assistant]);
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 5 }), fc.nat(), (turns, cut) => {
        const short = fold(...turns.slice(0, 1 + (cut % turns.length)).flat());
        const long = fold(...turns.flat());
        expect(Array.isArray(short) && Array.isArray(long) && long.slice(0, short.length)).toEqual(short);
      }),
      { numRuns: 300 },
    );
  });

  it("are known to these models and not to those", () => {
    const able = [
      "claude-opus-4-8",
      "claude-opus-5",
      "claude-opus-5-5",
      "claude-fable-5",
      "claude-sonnet-5-5",
      "claude-sonnet-5-5@20260901",
    ];
    const more = ["claude-haiku-5-5", "us.anthropic.claude-opus-4-8", "claude-mythos-5-1", "claude-fable-6", "gpt-x"];
    const unable = [
      "claude-opus-4-7",
      "claude-opus-4@20250514",
      "claude-opus-4-20250514",
      "claude-sonnet-4-6",
      "claude-haiku-4-5-20251001",
    ];
    const older = ["claude-sonnet-5", "claude-sonnet-5-20260401", "claude-3-5-sonnet-v2@20241022", "claude-opus-4-1@20250805"];
    expect([...able, ...more].filter((model) => !supportsMidSystem(model))).toEqual([]);
    expect([...unable, ...older].filter((model) => supportsMidSystem(model))).toEqual([]);
  });
});

describe("cache marks", () => {
  it("lose the scope that a beta brings, in system, tools and messages", () => {
    const cache_control = { type: "ephemeral", scope: "global", ttl: "1h" };
    const block = { type: "text", text: '"scope"', cache_control };
    const tool = { name: "t", input_schema: { properties: { scope: { type: "string", enum: ["scope"] } } }, cache_control };
    const body = {
      system: [block],
      tools: [tool],
      messages: [
        { role: "user", content: [block] },
        { role: "user", content: "scope" },
      ],
    };
    const { json } = convert(body, { betas: [] });
    const mark = { type: "ephemeral", ttl: "1h" };
    expect(json).toEqual({
      system: [{ ...block, cache_control: mark }],
      tools: [{ ...tool, cache_control: mark }],
      messages: [
        { role: "user", content: [{ ...block, cache_control: mark }] },
        { role: "user", content: "scope" },
      ],
    });
    expect(convert(body, { betas: ["prompt-caching-scope-2026-01-05"] }).json).toEqual(body);
  });
});

describe("a body of today's Claude Code", () => {
  it("loses for a host without betas what such a host refuses, and is cheap at 4 MB", () => {
    const { json } = convert(claudeCodeBody({ turns: 4 }).toString(), { ...nothing, refused: ["metadata"] });
    expect(Object.keys(json)).toEqual(["model", "messages", "system", "tools", "max_tokens", "thinking", "output_config", "stream"]);
    const large = createRequestBody(claudeCodeBody({ bytes: 4_000_000 }));
    const start = performance.now();
    forForeignHost(large, nothing, () => {});
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe("a body over bytes", () => {
  const json = fc.jsonValue({ noUnicodeString: false });
  const object = fc.dictionary(fc.string(), json);

  it("answers as the scanned one does", () => {
    fc.assert(
      fc.property(object, fc.string(), json, fc.constantFrom(undefined, 1, "\t"), (value, field, change, space) => {
        const bytes = Buffer.from(JSON.stringify(value, null, space));
        const [mine, scanned] = [bodyOf(bytes), createRequestBody(bytes)];
        const next: Json = JSON.parse(JSON.stringify(change));
        expect(mine.json()).toEqual(scanned.json());
        for (const name of [...Object.keys(value), field]) {
          expect(mine.field(name)).toEqual(scanned.field(name) === undefined ? undefined : expect.objectContaining(scanned.field(name)!));
          expect(mine.value(name)).toEqual(scanned.value(name));
          const span = scanned.field(name);
          if (span === undefined) continue;
          expect(mine.elements(span)).toMatchObject(scanned.elements(span).map(({ start, end }) => ({ start, end })));
          expect([...mine.members(span).keys()]).toEqual([...scanned.members(span).keys()]);
        }
        expect(JSON.parse(Buffer.from(mine.edit([{ field, value: next }]).bytes).toString())).toEqual(
          JSON.parse(Buffer.from(scanned.edit([{ field, value: next }]).bytes).toString()),
        );
      }),
    );
  });

  it("is whole after any members were taken out", () => {
    fc.assert(
      fc.property(object, fc.func(fc.boolean()), fc.constantFrom(undefined, 1), (value, isDoomed, space) => {
        const bytes = Buffer.from(JSON.stringify(value, null, space));
        const left = spliceBytes(
          bytes,
          removeItems(itemsOf(bytes, 0), ({ name }) => isDoomed(name)),
        );
        expect(JSON.parse(left.toString())).toEqual(
          JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(value).filter(([name]) => !isDoomed(name))))),
        );
      }),
    );
  });

  it("edits every repetition of a key and steps over a byte order mark", () => {
    const body = bodyOf(Buffer.from('\uFEFF{"a":1,"b":2,"a":3}'));
    expect(body.value("a")).toBe(3);
    expect(Buffer.from(body.edit([{ field: "a", value: 4 }]).bytes).toString()).toBe('\uFEFF{"a":4,"b":2,"a":4}');
    expect(body.edit([{ field: "b", value: 2 }])).toBe(body);
    expect(Buffer.from(bodyOf(Buffer.from("{}")).edit([{ field: "x", value: [] }]).bytes).toString()).toBe('{"x":[]}');
  });

  it("names the bytes of what is broken, and nothing of it", () => {
    expect(() => bodyOf(Buffer.from('{"a":secret}')).json()).toThrow("The request body holds invalid JSON between bytes 0 and 12.");
  });
});

describe("headers to a foreign host", () => {
  const headers = [
    ["accept", "application/json"],
    ["user-agent", "claude-cli"],
    ["x-claude-code-session-id", "s"],
    ["anthropic-beta", "a-1, b-2"],
    ["anthropic-beta", "c-3,a-1"],
    ["anthropic-version", "2026-10-21"],
    ["x-stainless-os", "Linux"],
    ["cookie", "x"],
  ] as const;

  it("name the betas it knows, under its own names, and the caller's version", () => {
    const renamedBetas = new Map([["b-2", "b-x"]]);
    expect(foreignMessagesHeaders(headers, { quirks: { betas: ["a-1", "b-x"] }, renamedBetas, version: "2023-06-01" })).toEqual([
      ["accept", "application/json"],
      ["user-agent", "claude-cli"],
      ["x-stainless-os", "Linux"],
      ["content-type", "application/json"],
      ["anthropic-version", "2026-10-21"],
      ["anthropic-beta", "a-1,b-x"],
    ]);
    expect(foreignMessagesHeaders(headers, { quirks: { betas: "none" } }).map(([name]) => name)).not.toContain("anthropic-beta");
    expect(foreignMessagesHeaders([], { quirks: {}, version: "2023-06-01" })).toEqual([
      ["content-type", "application/json"],
      ["anthropic-version", "2023-06-01"],
    ]);
  });

  it("of another wire say nothing of the caller's protocol", () => {
    expect(plainHeaders(headers).map(([name]) => name)).toEqual(["accept", "user-agent", "content-type"]);
  });
});
