import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import { array, assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";

import type { JsonObject } from "../../../sdk/events.ts";
import { cut, encodeHub, fold, geminiTarget, illegality, opened, readStream, wire, withoutRandomIds, type Encoding } from "./replies.ts";

const folder = path.resolve(import.meta.dirname, "../../fixtures/gemini");

interface Case {
  readonly name: string;
  readonly page: string;
  readonly about: string;
  readonly model?: string;
  /** Of an answer that is an error. */
  readonly status?: number;
}

const cases = readdirSync(folder).map((name): Case => ({ ...caseOf(name), name }));
const streamed = cases.filter(({ name }) => existsSync(path.join(folder, name, "upstream.sse")));
const whole = cases.filter(({ name, status }) => status === undefined && existsSync(path.join(folder, name, "upstream.json")));
const refused = cases.filter(({ status }) => status !== undefined);

function caseOf(name: string): Omit<Case, "name"> {
  return JSON.parse(bytes(name, "case.json").toString("utf8"));
}

function json(name: string, file: string): JsonObject {
  return JSON.parse(bytes(name, file).toString("utf8"));
}

function bytes(name: string, file: string): Buffer {
  return readFileSync(path.join(folder, name, file));
}

const quirks = { gemini: { mixedTools: true, fileUrls: true } };

function target({ model }: Case): ReturnType<typeof geminiTarget> {
  return geminiTarget({ quirks, ...(model === undefined ? {} : { model }) });
}

function encode(fixture: Case): Encoding {
  return encodeHub(json(fixture.name, "request.json"), target(fixture));
}

function expectTold(events: readonly JsonObject[], name: string): void {
  expect(illegality(events)).toBeUndefined();
  expect(opened(withoutRandomIds(events))).toEqual(json(name, "events.json"));
}

test("there are enough cases, and each names the page it was written from", () => {
  expect(streamed.length + whole.length + refused.length).toBe(cases.length);
  expect(cases.length).toBeGreaterThanOrEqual(12);
  for (const { page, about } of cases) expect([page.startsWith("https://"), about.length > 10]).toEqual([true, true]);
});

describe.each(streamed)("a stream, $name: $about", (fixture) => {
  const stream = bytes(fixture.name, "upstream.sse");

  test("in one piece", () => {
    expectTold(readStream(encode(fixture).reader, [stream]), fixture.name);
  });

  test("byte by byte", () => {
    expectTold(readStream(encode(fixture).reader, cut(stream, [1])), fixture.name);
  });

  test("in random pieces", () => {
    const { reader } = encode(fixture);
    const sizes = array(integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    assert(
      property(sizes, (found) => expectTold(readStream(reader, cut(stream, found)), fixture.name)),
      { numRuns: 20 },
    );
  });
});

test.each(whole)("a whole reply, $name: $about", (fixture) => {
  expectTold(encode(fixture).reader.whole(json(fixture.name, "upstream.json")), fixture.name);
});

test.each(whole)("a stream of one response is told as the whole reply is, $name", (fixture) => {
  const reply = json(fixture.name, "upstream.json");
  const { reader } = encode(fixture);
  const events = readStream(reader, [Buffer.from(`data: ${JSON.stringify(reply)}\r\n\r\n`)]);
  expect(withoutRandomIds(fold(events))).toEqual(withoutRandomIds(fold(reader.whole(reply))));
});

test.each(cases.filter(({ name }) => existsSync(path.join(folder, name, "body.json"))))("the request, $name: $about", (fixture) => {
  expect(encode(fixture).body).toEqual(json(fixture.name, "body.json"));
});

test.each(refused)("an error, $name: $about", (fixture) => {
  const body = bytes(fixture.name, "upstream.json");
  const { error, retry } = wire.decodeError({ status: fixture.status ?? 0, headers: [], body }, target(fixture));
  const { status, kind, message, headers } = error;
  expect({ status, kind, message, headers, ...(retry === undefined ? {} : { retry }) }).toEqual(json(fixture.name, "expected.json"));
});
