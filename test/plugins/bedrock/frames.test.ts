import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bedrock } from "../../../plugins/bedrock/index.ts";
import type { Unframer } from "../../../sdk/provider.ts";
import { providerOf } from "../../helpers/provider.ts";
import { type Described, chunkFrame, eventFrame, frame, frameOf } from "./frame.ts";

const provider = providerOf(bedrock, "bedrock");
const folder = new URL("../../fixtures/bedrock-invoke/", import.meta.url).pathname;

type Line = Described | { readonly chunk: string };

describe("frames of InvokeModelWithResponseStream as server-sent events", () => {
  for (const name of readdirSync(folder)) {
    const read = (file: string): string => readFileSync(join(folder, name, file), "utf8");
    const lines: readonly Line[] = JSON.parse(read("upstream.json"));
    const bytes = Buffer.concat(lines.map((line) => ("chunk" in line ? chunkFrame(line.chunk) : frameOf(line))));
    const expected = read("expected.sse");
    const about: string = JSON.parse(read("case.json")).about;

    test(`${name}: ${about}`, () => {
      expect(unframe([bytes])).toBe(expected);
      expect(unframe(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(expected);
    });

    test(`${name}: in chunks of any size`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }), (cuts) => {
          const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
          expect(unframe(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toBe(expected);
        }),
        { numRuns: 30 },
      );
    });
  }
});

describe("frames that are none", () => {
  const good = eventFrame("messageStart", { role: "assistant" });

  test("are told by their content type alone", () => {
    expect(provider.unframe?.("text/event-stream")).toBeUndefined();
    expect(provider.unframe?.("application/json")).toBeUndefined();
    expect(provider.unframe?.("application/vnd.amazon.eventstream; charset=utf-8")).toBeDefined();
  });

  test("each flipped bit is found, be it in the lengths, the headers, the payload or a checksum", () => {
    for (let at = 0; at < good.length; at++) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      expect(() => unframe([bad, good])).toThrow(expect.objectContaining({ name: "ProxyError", status: 502, kind: "api_error" }));
    }
  });

  test("a broken length is found before its frame is waited for", () => {
    const bad = Uint8Array.from(good.subarray(0, 12));
    bad[0] = 0x01;
    expect(() => open().push(bad)).toThrow(/checksum/);
  });

  test("a frame beyond 17 MB is refused as soon as it says so", () => {
    const huge = frame({ ":message-type": "event", ":event-type": "x" }, "x".repeat(18 * 1024 * 1024));
    expect(() => open().push(huge.subarray(0, 12))).toThrow(/claims to have \d+ bytes/);
  });

  test("what does not say its type is passed over", () => {
    expect(unframe([frame({}, "{}"), frame({ ":event-type": "chunk", ":message-type": "event" }, "no json")])).toBe("");
  });

  test("a frame that never ends tells nothing", () => {
    expect(unframe([good, good.subarray(0, 20)])).toBe('event: messageStart\ndata: {"role":"assistant"}\n\n');
  });

  test("a frame of a megabyte in small pieces costs no more than its bytes", () => {
    const big = eventFrame("contentBlockDelta", { delta: { text: "x".repeat(1024 * 1024) } });
    const unframer = open();
    const started = performance.now();
    let length = 0;
    for (let at = 0; at < big.length; at += 16) length += unframer.push(big.subarray(at, at + 16)).length;
    expect(length).toBeGreaterThan(1024 * 1024);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

function open(): Unframer {
  const unframer = provider.unframe?.("application/vnd.amazon.eventstream");
  if (unframer === undefined) throw new Error("nothing unframes it");
  return unframer;
}

function unframe(chunks: readonly Uint8Array[]): string {
  const unframer = open();
  return Buffer.concat([...chunks.map((chunk) => unframer.push(chunk)), unframer.end()]).toString("utf8");
}
