import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bedrock } from "../../../plugins/bedrock/index.ts";
import type { Json } from "../../../sdk/body.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import { unseal } from "../../../sdk/hub/envelope.ts";
import { text } from "../../../sdk/hub/json.ts";
import { ToolNames } from "../../../sdk/hub/tool-names.ts";
import type { ReplyReader } from "../../../sdk/wire.ts";
import { providerOf } from "../../helpers/provider.ts";
import { targetOf } from "../../helpers/targets.ts";
import { type Described, frameOf } from "./frame.ts";

const provider = providerOf(bedrock, "bedrock");
const wire = bedrock.setup().dialects?.[0]?.wire;
const target = targetOf({ model: "amazon.nova-pro-v1:0", apiBase: "https://bedrock-runtime.us-east-1.amazonaws.com" });

const folder = new URL("../../fixtures/bedrock-converse/", import.meta.url).pathname;
const cases = readdirSync(folder).map((name) => ({ name, ...JSON.parse(readFileSync(join(folder, name, "case.json"), "utf8")) }));

interface Expected {
  readonly content?: readonly JsonObject[];
  readonly stop_reason?: string;
  readonly usage?: JsonObject;
  readonly error?: { readonly type: string; readonly message: string };
  readonly notes?: readonly string[];
}

describe("replies of the Converse wire", () => {
  test("there are enough cases, each with the page it was written from", () => {
    expect(cases.length).toBeGreaterThanOrEqual(12);
    for (const { page, about } of cases) expect([page, about].every((word) => word.length > 10)).toBe(true);
  });

  for (const { name, about } of cases) {
    const { reply, frames, expected, request } = load(name);

    if (reply !== undefined) {
      test(`${about}`, () => {
        const { reader, notes } = readerOf(request);
        expectReply(reader.whole(reply), notes, expected);
      });
      continue;
    }

    const bytes = Buffer.concat(frames.map(frameOf));

    test(`${about}: all at once`, () => {
      const { reader, notes } = readerOf(request);
      expectReply(stream(reader, [bytes]), notes, expected);
    });

    test(`${about}: byte by byte`, () => {
      const { reader, notes } = readerOf(request);
      expectReply(
        stream(
          reader,
          Array.from(bytes, (byte) => Uint8Array.of(byte)),
        ),
        notes,
        expected,
      );
    });

    test(`${about}: in chunks of any size`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 }), (cuts) => {
          const { reader, notes } = readerOf(request);
          expectReply(stream(reader, cut(bytes, cuts)), notes, expected);
        }),
        { numRuns: 20 },
      );
    });
  }

  test("a call ends when it is complete, and the reply as soon as the counts are in, not only when the connection ends", () => {
    const decoder = readerOf(undefined).reader.stream();
    const push = (name: string, payload: unknown): readonly JsonObject[] =>
      decoder.push(Buffer.from(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`));
    push("messageStart", { role: "assistant" });
    push("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } });
    push("contentBlockStart", { contentBlockIndex: 1, start: { toolUse: { toolUseId: "t", name: "Bash" } } });
    expect(push("contentBlockStop", { contentBlockIndex: 1 }).map(({ type }) => type)).toEqual(["content_block_stop"]);
    expect(push("messageStop", { stopReason: "tool_use" })).toEqual([]);
    const last = push("metadata", { usage: { inputTokens: 1, outputTokens: 1 } });
    expect(last.map(({ type }) => type)).toEqual(["message_delta", "message_stop"]);
    expect(decoder.end()).toEqual([]);
  });

  test("what is no reply is refused", () => {
    expect(() => readerOf(undefined).reader.whole({ Output: { __type: "x" }, Version: "1.0" })).toThrow(ProxyError);
  });

  test("a whole reply with a call that could not be read is an error, so that it can be tried again", () => {
    const reply = { output: { message: { role: "assistant", content: [] } }, stopReason: "malformed_tool_use", usage: {} };
    expect(() => readerOf(undefined).reader.whole(reply)).toThrow(expect.objectContaining({ status: 502 }));
  });

  test("a stream gives the same message as the reply that was not streamed", () => {
    const words = fc.string({ minLength: 1 });
    const block = fc.oneof(
      words.map((said) => ({ whole: { text: said }, deltas: [{ text: said.slice(0, 2) }, { text: said.slice(2) }] })),
      fc.tuple(words, fc.base64String({ minLength: 4 })).map(([said, signature]) => ({
        whole: { reasoningContent: { reasoningText: { text: said, signature } } },
        deltas: [{ reasoningContent: { text: said } }, { reasoningContent: { signature } }],
      })),
      fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), value: fc.json() }).map(({ name, value }) => {
        const input = { value: JSON.parse(value) as Json };
        const json = JSON.stringify(input);
        return {
          whole: { toolUse: { toolUseId: `t_${name}`, name, input } },
          start: { toolUse: { toolUseId: `t_${name}`, name } },
          deltas: [{ toolUse: { input: json.slice(0, 5) } }, { toolUse: { input: json.slice(5) } }],
        };
      }),
    );
    fc.assert(
      fc.property(fc.array(block, { maxLength: 5 }), (blocks) => {
        const usage = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };
        const events: Described[] = [{ event: "messageStart", payload: { role: "assistant" } }];
        for (const [contentBlockIndex, one] of blocks.entries()) {
          if ("start" in one) events.push({ event: "contentBlockStart", payload: { contentBlockIndex, start: one.start } });
          for (const delta of one.deltas) events.push({ event: "contentBlockDelta", payload: { contentBlockIndex, delta } });
          events.push({ event: "contentBlockStop", payload: { contentBlockIndex } });
        }
        events.push({ event: "messageStop", payload: { stopReason: "end_turn" } }, { event: "metadata", payload: { usage } });
        const whole = {
          output: { message: { role: "assistant", content: blocks.map((one) => one.whole) } },
          stopReason: "end_turn",
          usage,
        };
        const streamed = assemble(stream(readerOf(undefined).reader, [Buffer.concat(events.map(frameOf))]));
        expect(comparable(streamed)).toEqual(comparable(assemble(readerOf(undefined).reader.whole(whole))));
      }),
    );
  });

  test("whatever order the events come in, what is told is in order and ends once", () => {
    const payload = fc.record({
      contentBlockIndex: fc.nat({ max: 3 }),
      start: fc.constantFrom({ toolUse: { toolUseId: "t", name: "Bash" } }, { toolResult: {} }, {}),
      delta: fc.constantFrom<Json>(
        { text: "a" },
        { text: "" },
        { reasoningContent: { text: "b" } },
        { reasoningContent: { signature: "c2ln" } },
        { toolUse: { input: "{}" } },
      ),
      stopReason: fc.constantFrom("end_turn", "tool_use", "malformed_tool_use", "max_tokens"),
      usage: fc.constantFrom<Json>({ inputTokens: 1, outputTokens: 1 }, {}),
    });
    const name = fc.constantFrom("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, payload), { maxLength: 30 }), (events) => {
        const frames = events.map(([event, body]) => frameOf({ event, payload: body }));
        expectOrder(stream(readerOf(undefined).reader, frames));
      }),
      { numRuns: 300 },
    );
  });
});

interface Loaded {
  readonly reply: JsonObject | undefined;
  readonly frames: readonly Described[];
  readonly expected: Expected;
  readonly request: JsonObject | undefined;
}

function load(name: string): Loaded {
  const read = (file: string): string => readFileSync(join(folder, name, `${file}.json`), "utf8");
  const names = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 });
  const reviver = (_key: string, value: unknown): unknown => {
    const alias = typeof value === "object" && value !== null && "alias" in value ? value.alias : undefined;
    return typeof alias === "string" ? names.alias(alias) : value;
  };
  const hasRequest = readdirSync(join(folder, name)).includes("request.json");
  const upstream: unknown = JSON.parse(read("upstream"), reviver);
  return {
    reply: Array.isArray(upstream) ? undefined : (upstream as JsonObject),
    frames: Array.isArray(upstream) ? upstream : [],
    expected: JSON.parse(read("expected")),
    request: hasRequest ? JSON.parse(read("request")) : undefined,
  };
}

function readerOf(request: JsonObject | undefined): { reader: ReplyReader; notes: string[] } {
  const notes: string[] = [];
  const body = request ?? { model: "x", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] };
  const encoded = wire?.encode?.({ body, session: undefined, estimatedInputTokens: 77 }, target, (what) => notes.push(what));
  if (encoded === undefined) throw new Error("the wire encodes nothing");
  return { reader: encoded.reader, notes };
}

function stream(reader: ReplyReader, chunks: readonly Uint8Array[]): readonly JsonObject[] {
  const unframer = provider.unframe?.("application/vnd.amazon.eventstream");
  if (unframer === undefined) throw new Error("nothing unframes it");
  const decoder = reader.stream();
  const events = chunks.flatMap((chunk) => decoder.push(unframer.push(chunk)));
  return [...events, ...decoder.push(unframer.end()), ...decoder.end()];
}

function cut(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

function expectReply(events: readonly JsonObject[], notes: readonly string[], expected: Expected): void {
  expectOrder(events);
  expect(notes).toEqual(expect.arrayContaining([...(expected.notes ?? [])]));
  if (expected.error !== undefined) {
    expect(events.at(-1)).toEqual({ type: "error", error: expected.error });
    return;
  }
  const { content, stop_reason, usage } = assemble(events);
  expect({ content: unsealed(content), stop_reason, usage }).toEqual({
    content: expected.content,
    stop_reason: expected.stop_reason,
    usage: expected.usage,
  });
}

function assemble(events: readonly JsonObject[]): JsonObject {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  return JSON.parse(assembler.message() ?? "null");
}

function comparable(message: JsonObject): JsonObject {
  return { ...message, id: "" };
}

/** Fixtures show what is sealed, since the seal is ours. */
function unsealed(content: Json | undefined): Json | undefined {
  if (!Array.isArray(content)) return content;
  return content.map((block: JsonObject) => {
    const { signature } = block;
    const sealed = typeof signature === "string" ? unseal(signature) : undefined;
    if (sealed === undefined) return block;
    expect(sealed.producer).toBe(target.producer);
    return { ...block, signature: { sealed: sealed.payload } };
  });
}

/** One block after the other, one start, one end. */
function expectOrder(events: readonly JsonObject[]): void {
  let open: number | undefined;
  let next = 0;
  for (const [at, event] of events.entries()) {
    const isLast = at === events.length - 1;
    switch (text(event["type"]) ?? "") {
      case "message_start":
        expect(at).toBe(0);
        break;
      case "content_block_start":
        expect(open).toBeUndefined();
        expect(event["index"]).toBe(next);
        open = next;
        next += 1;
        break;
      case "content_block_delta":
        expect(event["index"]).toBe(open);
        break;
      case "content_block_stop":
        expect(event["index"]).toBe(open);
        open = undefined;
        break;
      case "message_delta":
        expect(open).toBeUndefined();
        expect(at).toBe(events.length - 2);
        break;
      default:
        expect(["message_stop", "error"]).toContain(event["type"]);
        expect(isLast).toBe(true);
    }
  }
  expect(["message_stop", "error"]).toContain(events.at(-1)?.["type"]);
}
