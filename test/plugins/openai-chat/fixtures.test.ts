import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { isSealed, unseal } from "../../../sdk/hub/envelope.ts";
import { ToolNames } from "../../../sdk/hub/tool-names.ts";
import type { ReplyReader } from "../../../sdk/wire.ts";
import { foldedReply } from "../../helpers/folded-reply.ts";
import { collectNotes, makeHubRequest, makeTarget, wire, type Loose } from "./targets.ts";

const folder = fileURLToPath(new URL("../../fixtures/openai-chat", import.meta.url));

function readJson(name: string, file: string): JsonObject {
  return JSON.parse(readFileSync(path.join(folder, name, file), "utf8"));
}

function readerOf(name: string) {
  const { quirks = {} } = readJson(name, "case.json") as { quirks?: object };
  const asked = existsSync(path.join(folder, name, "request.json")) ? readJson(name, "request.json") : {};
  const noted = collectNotes();
  if (wire.encode === undefined) throw new Error("the wire translates");
  const { reader } = wire.encode(makeHubRequest(asked), makeTarget(quirks), noted.note);
  return { reader, notes: noted.notes };
}

/** Sealed text as what it holds; ids that were made up as stars. */
function readable(block: Loose): unknown {
  if (block.type === "thinking") {
    const sealed = unseal(block.signature);
    expect(sealed?.producer).toBe("testhost api.example");
    return { ...block, signature: sealed?.payload };
  }
  const text = JSON.stringify(block, (key, value) => {
    if ((key === "encrypted_content" || key === "encrypted_index") && isSealed(value)) return "sealed";
    return (key === "id" || key === "tool_use_id") && /^(srv)?toolu_[0-9a-f]{32}$/.test(value) ? "*" : value;
  });
  return JSON.parse(text);
}

/** The order that clients of the hub's vendor insist on. */
function checkOrder(events: readonly JsonObject[]): void {
  const types = events.map((event) => event["type"]);
  const failed = types.at(-1) === "error";
  let open: { index: unknown; type: unknown } | undefined;
  let next = 0;
  for (const [at, event] of events.entries()) {
    switch (event["type"] as string) {
      case "message_start":
        expect(at).toBe(0);
        break;
      case "content_block_start":
        expect(open).toBeUndefined();
        expect(event["index"]).toBe(next++);
        open = { index: event["index"], type: (event["content_block"] as JsonObject)["type"] };
        break;
      case "content_block_delta": {
        expect(event["index"]).toBe(open?.index);
        const delta = (event["delta"] as JsonObject)["type"] as string;
        const allowed: Record<string, string[]> = {
          text: ["text_delta", "citations_delta"],
          thinking: ["thinking_delta", "signature_delta"],
          tool_use: ["input_json_delta"],
          server_tool_use: ["input_json_delta"],
        };
        expect(allowed[String(open?.type)]).toContain(delta);
        break;
      }
      case "content_block_stop":
        expect(event["index"]).toBe(open?.index);
        open = undefined;
        break;
      case "message_delta":
        expect(at).toBe(events.length - 2);
        expect(open).toBeUndefined();
        break;
      case "message_stop":
      case "error":
        expect(at).toBe(events.length - 1);
        break;
      default:
        throw new Error("unknown event");
    }
  }
  if (!failed) expect(types.slice(-2)).toEqual(["message_delta", "message_stop"]);
}

function decode(reader: ReplyReader, chunks: readonly Uint8Array[]): readonly JsonObject[] {
  const decoder = reader.stream();
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

function streamBytes(name: string): Buffer {
  const alias = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 }).alias(
    "mcp__a_server_with_a_long_name__and_a_tool_with_an_even_longer_name_than_that",
  );
  return Buffer.from(readFileSync(path.join(folder, name, "upstream.sse"), "utf8").replace("ALIAS", alias));
}

const names = readdirSync(folder);
const streamed = names.filter((name) => existsSync(path.join(folder, name, "upstream.sse")));
const whole = names.filter((name) => !streamed.includes(name));

test("every case names the page it was written from", () => {
  expect(streamed.length).toBeGreaterThan(40);
  for (const name of names)
    expect(readJson(name, "case.json")).toMatchObject({ page: expect.stringMatching(/^https:/), about: expect.any(String) });
});

describe.each(streamed)("the stream %s", (name) => {
  const { notes: expectedNotes, ...expected } = readJson(name, "expected.json");

  test("is told as expected", () => {
    const { reader, notes } = readerOf(name);
    const events = decode(reader, [streamBytes(name)]);
    checkOrder(events);
    expect(foldedReply(events, readable)).toEqual(expected);
    if (expectedNotes !== undefined) expect(notes.map(({ what }) => what)).toEqual(expectedNotes);
  });

  test("is told the same byte by byte and however it is cut", () => {
    const bytes = streamBytes(name);
    const { reader } = readerOf(name);
    const single = decode(
      reader,
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
    );
    checkOrder(single);
    expect(foldedReply(single, readable)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(foldedReply(decode(readerOf(name).reader, chunks), readable)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe.each(whole)("the whole reply %s", (name) => {
  test("is told as expected", () => {
    const expected = readJson(name, "expected.json");
    const { reader } = readerOf(name);
    if (expected["error"] === undefined) {
      const events = reader.whole(readJson(name, "upstream.json"));
      checkOrder(events);
      expect(foldedReply(events, readable)).toEqual(expected);
      return;
    }
    let error: unknown;
    try {
      reader.whole(readJson(name, "upstream.json"));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ProxyError);
    const { kind, message } = error as ProxyError;
    expect({ error: { type: kind, message } }).toEqual(expected);
  });
});
