/** What holds for every reply, not for the ones that somebody thought of. */

import {
  array,
  assert,
  boolean,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  oneof,
  option,
  property,
  record as recordOf,
  string,
  uint8Array,
} from "fast-check";
import { describe, expect, test } from "vitest";

import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { MessageWriter } from "../../../sdk/hub/message-writer.ts";
import { growingConversation, OWN_PRODUCER } from "../../helpers/random-conversation.ts";
import { chunksOf, decode, encodeAll, hello, replyOptions, responsesOf, streaming, translation } from "./received.ts";
import { cut, encodeHub, fold, geminiTarget, illegality, present, reader, readStream } from "./replies.ts";

const signature = option(constantFrom("U2lnQQ==", "U2lnQg=="), { nil: undefined });
const words = string({ unit: "grapheme", maxLength: 12 });
const name = constantFrom("Read", "Bash", "default_api:Read", "");

function optional(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const known = Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(known);
}

const json = jsonValue({ maxDepth: 2 }).map((value): Json => JSON.parse(JSON.stringify(value)));
const args = dictionary(string({ maxLength: 4 }), json, { maxKeys: 3, noNullPrototype: true });
const part = oneof(
  recordOf({ text: words, thoughtSignature: signature }).map(optional),
  recordOf({ text: words, thought: boolean(), thoughtSignature: signature }).map(optional),
  recordOf({
    name,
    id: option(constantFrom("a", "b", "c:d"), { nil: undefined }),
    args,
    willContinue: option(boolean(), { nil: undefined }),
    thoughtSignature: signature,
  }).map(({ thoughtSignature, ...call }) => optional({ functionCall: optional(call), thoughtSignature })),
  json.map((partialArgs) => ({ functionCall: { partialArgs } })),
  constantFrom(
    {},
    { inlineData: { mimeType: "image/png", data: "AA==" } },
    { toolCall: { id: "t" } },
    { executableCode: { code: "1" } },
    { brandNew: 1 },
  ),
);
const reason = option(
  constantFrom("STOP", "STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "BRAND_NEW", "FINISH_REASON_UNSPECIFIED"),
  { nil: undefined },
);
const usage = option(
  recordOf({
    promptTokenCount: integer({ min: -5, max: 100 }),
    candidatesTokenCount: integer({ min: 0, max: 100 }),
    cachedContentTokenCount: integer({ min: 0, max: 200 }),
  }),
  { nil: undefined },
);
const reply = oneof(
  {
    weight: 8,
    arbitrary: recordOf({ parts: array(part, { maxLength: 4 }), finishReason: reason, usageMetadata: usage }).map(
      ({ parts, finishReason, usageMetadata }) =>
        optional({ candidates: [optional({ content: { parts, role: "model" }, finishReason })], usageMetadata }),
    ),
  },
  {
    weight: 1,
    arbitrary: constantFrom<JsonObject>(
      { candidates: [] },
      {},
      { promptFeedback: { blockReason: "OTHER" } },
      { error: { code: 500, message: "x", status: "INTERNAL" } },
      { candidates: null },
    ),
  },
  { weight: 1, arbitrary: dictionary(string({ maxLength: 10 }), json, { maxKeys: 3, noNullPrototype: true }) },
);
const replies = array(reply, { maxLength: 8 });
const sizes = array(integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });

const frames = (list: readonly JsonObject[], lineEnd: string): Buffer =>
  Buffer.from(list.map((one) => `data: ${JSON.stringify(one)}${lineEnd}${lineEnd}`).join(""));

describe("replies of the wire", () => {
  test("whatever comes, in whatever pieces, is told in order and ends once", () => {
    assert(
      property(replies, sizes, constantFrom("\n", "\r\n", "\r"), (list, found, lineEnd) => {
        expect(illegality(readStream(reader(), cut(frames(list, lineEnd), found)))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("bytes that are no reply at all end in an error, once", () => {
    assert(
      property(array(uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
        const events = readStream(reader(), chunks);
        expect(illegality(events)).toBeUndefined();
        expect(events.at(-1)).toMatchObject({ type: "error" });
      }),
      { numRuns: 100 },
    );
  });

  test("a list tells what the events tell, however it is cut", () => {
    assert(
      property(replies, sizes, (list, found) => {
        const told = (bytes: Buffer): Json => normal(readStream(reader(), cut(bytes, found)));
        expect(told(Buffer.from(JSON.stringify(list)))).toEqual(told(frames(list, "\n")));
      }),
      { numRuns: 100 },
    );
  });

  test("a whole reply is what streams it, put together", () => {
    assert(
      property(replies, (list) => {
        const whole = joinedReply(list);
        const events = readStream(reader(), [frames([whole], "\r\n")]);
        expect(normal(reader().whole(whole))).toEqual(normal(events));
      }),
      { numRuns: 100 },
    );
  });

  /** Of calls without an id two readings make up two. */
  function normal(events: readonly JsonObject[]): Json {
    const known: Json = JSON.parse(JSON.stringify(events).replaceAll(/"(?:msg|toolu|srvtoolu)_[0-9a-f]{32}"/g, '"random"'));
    return known;
  }

  function joinedReply(list: readonly JsonObject[]): JsonObject {
    const parts = list.flatMap((one) => {
      const content = record(record(Array.isArray(one["candidates"]) ? one["candidates"][0] : undefined)?.["content"])?.["parts"];
      return Array.isArray(content) ? content.map((found: Json) => found) : [];
    });
    return { candidates: [{ content: { parts }, finishReason: "STOP" }] };
  }
});

/** What may be said to the writer that tells a reply of the hub. */
const step = oneof(
  words.map((piece) => (writer: MessageWriter) => writer.text(piece)),
  words.map((piece) => (writer: MessageWriter) => writer.thinking(piece)),
  constantFrom((writer: MessageWriter) => writer.signature("EqQB")),
  recordOf({ key: integer({ min: 0, max: 3 }), args, isCut: boolean() }).map(({ key, args: input, isCut }) => (writer: MessageWriter) => {
    const whole = JSON.stringify(input);
    writer.toolStart(key, { id: `toolu_${key}`, name: "Read" });
    writer.toolInput(key, isCut ? whole.slice(0, -1) : whole);
    writer.toolEnd(key);
  }),
  constantFrom((writer: MessageWriter) => {
    writer.serverTool({ id: "s", name: "web_search", input: { query: "q" } });
    writer.block({
      type: "web_search_tool_result",
      tool_use_id: "s",
      content: [{ type: "web_search_result", url: "https://a.example", title: "A" }],
    });
  }),
);
const ending = constantFrom("end", "max_tokens", "refusal", "error", "cut");

function tell(steps: readonly ((writer: MessageWriter) => void)[], end: string): readonly JsonObject[] {
  const writer = new MessageWriter({ model: "m", inputTokens: 1 });
  for (const one of steps) one(writer);
  if (end === "max_tokens" || end === "refusal") writer.stop(end);
  if (end === "error") writer.fail({ type: "api_error", message: "x" });
  else if (end !== "cut") writer.finish();
  return writer.take();
}

const asksForThoughts = { ...hello, generationConfig: { thinkingConfig: { includeThoughts: true } } };

describe("replies of the hub for clients of this dialect", () => {
  test("every stream is valid, ends once, and holds whole calls alone", () => {
    assert(
      property(array(step, { maxLength: 8 }), ending, (steps, end) => {
        const responses = responsesOf(encodeAll(translation.stream(replyOptions(hello, streaming)), tell(steps, end)));
        const ends = responses.filter((response) => response["error"] !== undefined || finishOf(response) !== undefined);
        expect(ends).toHaveLength(1);
        expect(ends[0]).toBe(responses.at(-1));
        expect(responses.at(-1)?.["error"] === undefined).toBe(end !== "error" && end !== "cut");
        for (const found of responses.flatMap(partsOf)) {
          expect(Object.keys(found).filter((key) => key === "text" || key === "functionCall")).toHaveLength(1);
          if (found["functionCall"] !== undefined) expect(record(record(found["functionCall"])?.["args"])).toBeDefined();
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a whole reply is its stream, put together", () => {
    assert(
      property(array(step, { maxLength: 8 }), constantFrom("end", "max_tokens", "refusal"), (steps, end) => {
        const events = tell(steps, end);
        const options = replyOptions(asksForThoughts, streaming);
        const streamed = responsesOf(encodeAll(translation.stream(options), events)).flatMap(partsOf);
        const whole = partsOf(chunksOf(translation.whole(present(record(fold(events))), options)));
        const plain = (parts: readonly JsonObject[]): readonly Json[] =>
          parts.filter((found) => found["text"] === undefined).map((found) => found["functionCall"] ?? null);
        expect(plain(whole)).toEqual(plain(streamed));
        for (const thought of [true, undefined]) expect(wordsOf(whole, thought)).toBe(wordsOf(streamed, thought));
      }),
      { numRuns: 200 },
    );
  });

  test("what a client sends back holds all signed thinking, in its place", () => {
    assert(
      property(array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const events = tell(steps, "end");
        const parts = responsesOf(encodeAll(translation.stream(replyOptions(asksForThoughts, streaming)), events)).flatMap(partsOf);
        const { messages } = decode({
          contents: [
            { role: "user", parts: [{ text: "Go" }] },
            { role: "model", parts },
            { role: "user", parts: [{ text: "?" }] },
          ],
        }).request;
        const again = Array.isArray(messages)
          ? messages.flatMap((message) => (record(message)?.["role"] === "assistant" ? blocksOf(message) : []))
          : [];
        expect(again.filter(isSigned)).toEqual(blocksOf(fold(events)).filter(isSigned));
      }),
      { numRuns: 200 },
    );
  });
});

describe("requests of the hub", () => {
  test("a conversation that grows is translated into one that grows", () => {
    const target = geminiTarget({ producer: OWN_PRODUCER });
    assert(
      property(growingConversation, ({ bodies }) => {
        const translated = bodies.map((body) => contentsOf(encodeHub(body, target).body));
        for (const [at, contents] of translated.entries()) {
          const before = translated[at - 1] ?? [];
          // The last turn is the user's own, to which the next request may add.
          expect(contents.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("roles alternate, each call has its response, and the first call of a step its signature", () => {
    assert(
      property(growingConversation, ({ bodies }) => {
        const contents = contentsOf(encodeHub(present(bodies.at(-1))).body);
        for (const [at, content] of contents.entries()) {
          expect(content["role"]).toBe(at % 2 === 0 ? "user" : "model");
          const parts = partsIn(content);
          expect(parts.length).toBeGreaterThan(0);
          const calls = parts.filter((found) => found["functionCall"] !== undefined);
          if (calls.length === 0) continue;
          expect(calls[0]?.["thoughtSignature"]).toBeDefined();
          const responses = partsIn(present(contents[at + 1])).filter((found) => found["functionResponse"] !== undefined);
          const idOf = (found: JsonObject, kind: string): Json | undefined => record(found[kind])?.["id"];
          expect(responses.map((found) => idOf(found, "functionResponse"))).toEqual(calls.map((found) => idOf(found, "functionCall")));
        }
      }),
      { numRuns: 100 },
    );
  });
});

function contentsOf(body: JsonObject): readonly JsonObject[] {
  const { contents } = body;
  return Array.isArray(contents) ? contents.map((content) => present(record(content))) : [];
}

function partsIn(content: JsonObject): readonly JsonObject[] {
  const { parts } = content;
  return Array.isArray(parts) ? parts.map((found) => present(record(found))) : [];
}

function partsOf(response: JsonObject): readonly JsonObject[] {
  const candidate = record(Array.isArray(response["candidates"]) ? response["candidates"][0] : undefined);
  return partsIn(record(candidate?.["content"]) ?? {});
}

function finishOf(response: JsonObject): string | undefined {
  return text(record(Array.isArray(response["candidates"]) ? response["candidates"][0] : undefined)?.["finishReason"]);
}

function wordsOf(parts: readonly JsonObject[], thought: boolean | undefined): string {
  return parts.flatMap((found) => (found["thought"] === thought ? (text(found["text"]) ?? []) : [])).join("");
}

function blocksOf(message: Json): readonly JsonObject[] {
  const content = record(message)?.["content"];
  return Array.isArray(content) ? content.map((block: Json) => present(record(block))) : [];
}

function isSigned(block: JsonObject): boolean {
  return block["type"] === "thinking" && text(block["signature"]) !== "";
}
