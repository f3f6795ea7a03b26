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
import { faultsOf, parsedBySdk } from "../../helpers/event-protocol.ts";
import { foldedReply } from "../../helpers/folded-reply.ts";
import { type Loose, collectNotes, decoded, makeHubRequest, makeTarget, producer, wire } from "./targets.ts";

const folder = fileURLToPath(new URL("../../fixtures/openai-responses", import.meta.url));

function readJson(name: string, file: string): Loose {
  return JSON.parse(readFileSync(path.join(folder, name, file), "utf8"));
}

function readerOf(name: string) {
  const { target = {} } = readJson(name, "case.json");
  const asked = existsSync(path.join(folder, name, "request.json")) ? readJson(name, "request.json") : {};
  const noted = collectNotes();
  const { reader } = wire.encode(makeHubRequest({ stream: true, ...asked }), makeTarget(target), noted.note);
  const before = noted.notes.length;
  return { reader, notes: () => noted.notes.slice(before).map(({ what }) => what) };
}

/** Sealed text as what it holds. */
function readable(block: Loose): unknown {
  if (block.type === "thinking") {
    const sealed = unseal(block.signature);
    expect(sealed?.producer).toBe(producer);
    return { ...block, signature: sealed?.payload };
  }
  return JSON.parse(
    JSON.stringify(block, (key, value) =>
      (key === "encrypted_content" || key === "encrypted_index") && isSealed(value) ? "sealed" : value,
    ),
  );
}

function decode(reader: ReplyReader, chunks: readonly Uint8Array[]): readonly JsonObject[] {
  const decoder = reader.stream();
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

function streamBytes(name: string): Buffer {
  const alias = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 }).alias(
    "mcp__a_server_with_a_long_name__and_a_tool_with_an_even_longer_name_than_that",
  );
  return Buffer.from(readFileSync(path.join(folder, name, "upstream.sse"), "utf8").replaceAll("ALIAS", alias));
}

const names = readdirSync(folder);
const streamed = names.filter((name) => existsSync(path.join(folder, name, "upstream.sse")));
const whole = names.filter((name) => existsSync(path.join(folder, name, "upstream.json")));

test("every case names the page it was written from", () => {
  expect(streamed.length).toBeGreaterThan(35);
  for (const name of names)
    expect(readJson(name, "case.json")).toMatchObject({ page: expect.stringMatching(/^https:/), about: expect.any(String) });
});

describe.each(streamed)("the stream %s", (name) => {
  const { notes: expectedNotes, ...expected } = readJson(name, "expected.json");

  test("is told as expected, in an order that the hub's vendor's own parser reads", async () => {
    const { reader, notes } = readerOf(name);
    const events = decode(reader, [streamBytes(name)]);
    expect(faultsOf(events)).toEqual([]);
    expect(foldedReply(events, readable)).toEqual(expected);
    if (expectedNotes !== undefined) expect(notes()).toEqual(expectedNotes);
    if ("error" in expected) return;
    const { content } = await parsedBySdk(events);
    expect(content).toHaveLength(expected.content.length);
  });

  test("is told the same byte by byte and however it is cut", () => {
    const bytes = streamBytes(name);
    const { reader } = readerOf(name);
    const single = decode(
      reader,
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
    );
    expect(faultsOf(single)).toEqual([]);
    expect(foldedReply(single, readable)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(foldedReply(decode(reader, chunks), readable)).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  test("cut short anywhere, it ends once, in an error", () => {
    const text = streamBytes(name).toString("utf8");
    const last = text.search(
      /(event: (response\.(completed|incomplete|failed|cancelled)|error)|data: ?\[DONE\]|data: \{"type": ?"response\.completed|data: \{"error")/,
    );
    const { reader } = readerOf(name);
    fc.assert(
      fc.property(fc.nat(Math.max(0, Buffer.byteLength(text.slice(0, last)) - 1)), (length) => {
        const events = decode(reader, [Buffer.from(text).subarray(0, length)]);
        const isCut = (events.at(-2)?.["delta"] as JsonObject | undefined)?.["stop_reason"] === "stop_sequence";
        expect(faultsOf(events)).toEqual([]);
        if (!isCut) expect(events.at(-1)?.["type"]).toBe("error");
      }),
      { numRuns: 25 },
    );
  });

  test("comes to the same as the response that its last event holds", () => {
    const data = streamBytes(name)
      .toString("utf8")
      .split(/\r?\n/)
      .findLast((line) => /^data: \{"type": ?"response\.(completed|incomplete)"/.test(line));
    const response = data === undefined ? undefined : JSON.parse(data.slice("data: ".length)).response;
    if (response === undefined || response.output.length === 0 || response.usage === null || expected.stop_sequence !== undefined) return;
    expect(foldedReply(readerOf(name).reader.whole(response), readable)).toEqual(expected);
  });
});

describe.each(whole)("the response %s", (name) => {
  const { thrown, ...expected } = readJson(name, "expected.json");

  test("is told as expected", () => {
    const { reader } = readerOf(name);
    const reply = readJson(name, "upstream.json");
    if (thrown === undefined) {
      const events = reader.whole(reply);
      expect(faultsOf(events)).toEqual([]);
      expect(foldedReply(events, readable)).toEqual(expected);
    } else {
      const read = (): unknown => reader.whole(reply);
      expect(read).toThrow(ProxyError);
      expect(read).toThrow(expect.objectContaining(thrown));
    }
  });
});

describe.each(names.filter((name) => existsSync(path.join(folder, name, "client.json"))))("the request %s", (name) => {
  test("is this one of the hub", () => {
    const { model: _, ...asked } = readJson(name, "client.json");
    expect(decoded(asked)).toEqual(readJson(name, "hub.json"));
  });
});
