import * as fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { createTokenService, type TokenService, type TokenServiceOptions } from "../../../core/tokens/token-service.ts";
import type { RequestBody } from "../../../sdk/body.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";

const opened: TokenService[] = [];
function open(options?: TokenServiceOptions): TokenService {
  const service = createTokenService(options);
  opened.push(service);
  return service;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
});

const shared = createTokenService();
afterAll(() => shared.close());

const bodyOf = (value: unknown): RequestBody => createRequestBody(value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value)));

describe("remembering", () => {
  it("asks the worker only for the new blocks of a growing conversation", async () => {
    const service = open();
    const first = await service.counterFor(bodyOf(claudeCodeBody({ turns: 20 }))).count();
    const before = service.stats();
    const second = await service.counterFor(bodyOf(claudeCodeBody({ turns: 21 }))).count();
    const after = service.stats();
    expect(second).toBeGreaterThan(first);
    // A tool loop: thinking, text, the tool's input, its result and a text (its name is known from before).
    expect(after.unitsCounted - before.unitsCounted).toBe(5);
    expect(after.bytesCounted - before.bytesCounted).toBeLessThan(9000);
    expect(after.workerStarts).toBe(1);
  });

  it("counts nothing anew when a cache mark moves", async () => {
    const service = open();
    const marked = await service.counterFor(bodyOf(claudeCodeBody({ turns: 5, cacheMarks: true }))).count();
    const before = service.stats().unitsCounted;
    const unmarked = await service.counterFor(bodyOf(claudeCodeBody({ turns: 5, cacheMarks: false }))).count();
    expect(unmarked).toBe(marked);
    expect(service.stats().unitsCounted).toBe(before);
  });

  it("counts a block once that two requests bring at the same time", async () => {
    const service = open();
    const request = claudeCodeBody({ turns: 3 });
    const alone = open();
    await alone.counterFor(bodyOf(request)).count();
    const [left, right] = await Promise.all([service.counterFor(bodyOf(request)).count(), service.counterFor(bodyOf(request)).count()]);
    expect(left).toBe(right);
    expect(service.stats().unitsCounted).toBe(alone.stats().unitsCounted);
  });

  it("keeps no more entries than it may, and stays right", async () => {
    const small = open({ memoEntries: 10 });
    const request = bodyOf(claudeCodeBody({ turns: 10 }));
    const expected = await shared.counterFor(request).count();
    expect(await small.counterFor(request).count()).toBe(expected);
    expect(await small.counterFor(request).count()).toBe(expected);
    expect(small.stats().memoEntries).toBe(10);
  });

  it("gives the same count whatever was counted before", async () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const block = fc.oneof(
      text.map((value) => ({ type: "text", text: value })),
      text.map((value) => ({ type: "thinking", thinking: value, signature: "" })),
      fc.jsonValue({ maxDepth: 3 }).map((input) => ({ type: "tool_use", id: "t", name: "Bash", input })),
      text.map((content) => ({ type: "tool_result", tool_use_id: "t", content })),
      fc.jsonValue({ maxDepth: 2 }).map((value) => ({ type: "some_new_block", value })),
    );
    const message = fc.record({
      role: fc.constantFrom("user", "assistant", "system"),
      content: fc.oneof(text, fc.array(block, { maxLength: 4 })),
    });
    const request = fc.record({
      model: fc.constantFrom("claude-opus-5-5", "claude-haiku-4-5", "gpt-9"),
      messages: fc.array(message, { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async (value) => {
        const fresh = createTokenService();
        try {
          const cold = await fresh.counterFor(bodyOf(value)).count();
          expect(await fresh.counterFor(bodyOf(value)).count()).toBe(cold);
          expect(await shared.counterFor(bodyOf(value)).count()).toBe(cold);
        } finally {
          await fresh.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe("comparing with a threshold", () => {
  it("answers from the size alone, without a worker", () => {
    const service = open();
    const request = service.counterFor(bodyOf(claudeCodeBody({ bytes: 50_000 })));
    expect(request.exceeds(60_000)).toBe(false);
    expect(request.exceeds(60_000, "messages_text")).toBe(false);
    expect(request.exceeds(10)).toBe(true);
    expect(service.stats().workerStarts).toBe(0);
  });

  it("answers at once for a conversation it knows", async () => {
    const service = open();
    const tokens = await service.counterFor(bodyOf(claudeCodeBody({ turns: 30 }))).count();
    const grown = service.counterFor(bodyOf(claudeCodeBody({ turns: 31 })));
    expect(grown.exceeds(tokens - 5000)).toBe(true);
    expect(grown.exceeds(tokens + 20_000)).toBe(false);
  });

  it("counts where the size leaves it open", async () => {
    const service = open();
    const answer = service.counterFor(bodyOf(claudeCodeBody({ bytes: 50_000 }))).exceeds(14_000);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe(true);
    expect(service.stats().workerStarts).toBe(1);
  });

  it("is strict: a count equal to the threshold does not exceed it", async () => {
    const request = bodyOf(claudeCodeBody({ turns: 1 }));
    const tokens = await shared.counterFor(request).count();
    expect(await shared.counterFor(request).exceeds(tokens)).toBe(false);
    expect(await shared.counterFor(request).exceeds(tokens - 1)).toBe(true);
  });

  it("agrees with the count for any text and any threshold", async () => {
    const character = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          "a",
          "bc",
          "X",
          "Yz",
          " ",
          "0",
          "12",
          ".",
          ",",
          "(",
          "}",
          "\n",
          "\t",
          '"',
          "\\",
          "é",
          "漢",
          "か",
          "한",
          "🙂",
          "\u0000",
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom(" ".repeat(300), "a".repeat(300), "=".repeat(300), "\n".repeat(300), "漢".repeat(200)) },
    );
    const content = fc.array(character, { maxLength: 400 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.integer({ min: 0, max: 3000 }),
        fc.constantFrom("all" as const, "messages_text" as const),
        async (text, threshold, mode) => {
          const request = (): RequestBody =>
            bodyOf({
              model: "claude-opus-5-5",
              messages: [
                { role: "user", content: text },
                { role: "user", content: [{ type: "text", text }] },
              ],
            });
          const blind = shared.counterFor(request()).exceeds(threshold, mode);
          const tokens = await shared.counterFor(request()).count(mode);
          expect(await blind).toBe(tokens > threshold);
          expect(await shared.counterFor(request()).exceeds(threshold, mode)).toBe(tokens > threshold);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("the life of the worker", () => {
  it("starts when first needed, ends when idle and starts again", async () => {
    const service = open({ idleMs: 20 });
    expect(service.stats().workerRunning).toBe(false);
    const request = { model: "claude-opus-5-5", messages: [{ role: "user", content: "one" }] };
    await service.counterFor(bodyOf(request)).count();
    await vi.waitFor(() => expect(service.stats().workerRunning).toBe(false));
    await service.counterFor(bodyOf({ ...request, system: "something else" })).count();
    expect(service.stats().workerStarts).toBe(2);
  });

  it("rejects what is under way when the service is closed, and what comes later", async () => {
    const service = open();
    const pending = service.counterFor(bodyOf(claudeCodeBody({ turns: 2 }))).count();
    const rejected = expect(pending).rejects.toThrow(/closed/);
    await service.close();
    await rejected;
    await expect(service.counterFor(bodyOf(claudeCodeBody({ turns: 2 }))).count()).rejects.toThrow(/closed/);
    expect(service.stats().workerRunning).toBe(false);
  });
});

describe("texts that make trouble", () => {
  it.each<[what: string, text: string]>([
    ["a word of a million letters", "a".repeat(1_000_000)],
    ["a million spaces", " ".repeat(1_000_000)],
    ["a line of signs", "=".repeat(300_000)],
    ["han without a break", "漢字".repeat(100_000)],
    ["flags", "🇩🇪".repeat(50_000)],
    ["markers of a tokenizer", "<|endoftext|><|fim_prefix|>"],
    ["half a surrogate pair", "\ud83d"],
    ["nothing", ""],
  ])("counts %s", async (_what, text) => {
    const tokens = await shared.counterFor(bodyOf({ model: "claude-opus-5-5", messages: [{ role: "user", content: text }] })).count();
    expect(tokens).toBeGreaterThan(0);
    expect(tokens).toBeLessThanOrEqual(Buffer.byteLength(JSON.stringify(text)) + 20);
  });

  it("counts a tool input nested deeper than a stack", async () => {
    const deep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
    const raw = `{"model":"claude-opus-5-5","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"x","input":${deep}}]}]}`;
    expect(await shared.counterFor(bodyOf(Buffer.from(raw))).count()).toBeGreaterThan(100);
  });

  it("counts a request without anything as nothing", async () => {
    expect(await shared.counterFor(bodyOf({})).count()).toBe(0);
    expect(await shared.counterFor(bodyOf({ model: null, messages: null, system: null, tools: null })).count()).toBe(0);
    expect(await shared.counterFor(bodyOf({ messages: "text", tools: { a: 1 }, system: 5 })).count()).toBe(0);
  });
});
