import { describe, expect, it } from "vitest";

import { AbortGate } from "../../../core/stream/abort-gate.ts";
import { bodyOf, collectReply } from "../../../core/stream/collect-reply.ts";

/** Gives these chunks, then fails or ends; says whether it was let go. */
function source(chunks: readonly string[], failure?: Error) {
  const state = { returned: 0 };
  let at = 0;
  const body: AsyncIterableIterator<Uint8Array> = {
    async next() {
      const chunk = chunks[at++];
      if (chunk !== undefined) return { done: false, value: Buffer.from(chunk) };
      if (failure !== undefined) throw failure;
      return { done: true, value: undefined };
    },
    async return() {
      state.returned++;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => body,
  };
  return { body, state };
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

describe("a reply that is read as a whole", () => {
  it.each([[[]], [["one"]], [["one", "two", "three"]]])("is what it was: %j", async (chunks) => {
    const collected = await collectReply(source(chunks).body, 100);
    expect(collected).toMatchObject({ isWhole: true });
    if (collected.isWhole) expect(Buffer.from(collected.bytes).toString()).toBe(chunks.join(""));
    if (collected.isWhole) expect(await read(bodyOf(collected.bytes))).toBe(chunks.join(""));
  });

  it("may be as long as allowed, and no longer", async () => {
    expect((await collectReply(source(["12345", "67890"]).body, 10)).isWhole).toBe(true);
    expect((await collectReply(source(["12345", "678901"]).body, 10)).isWhole).toBe(false);
  });

  it("is handed back from the start where it is too long, and its source with it", async () => {
    const { body, state } = source(["12345", "678901", "and", "more"]);
    const collected = await collectReply(body, 10);
    if (collected.isWhole) expect.fail("it was taken for whole");
    expect(Buffer.from(collected.head).toString()).toBe("12345678901");
    expect(await read(collected.body)).toBe("12345678901andmore");
    const again = source(["12345", "678901", "and", "more"]);
    const left = await collectReply(again.body, 10);
    if (left.isWhole) expect.fail("it was taken for whole");
    for await (const _ of left.body) break;
    expect([state.returned, again.state.returned]).toEqual([0, 1]);
  });

  it("fails as its source does", async () => {
    await expect(collectReply(source(["one"], new Error("broke off")).body, 100)).rejects.toThrow("broke off");
  });
});

describe("a gate", () => {
  it("lets through what comes in time, and nothing once it is aborted", async () => {
    const abort = new AbortController();
    const gate = new AbortGate(abort.signal);
    expect(await gate.wait(Promise.resolve(1))).toBe(1);
    await expect(gate.wait(Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    const waiting = gate.wait(new Promise(() => undefined));
    abort.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await expect(gate.wait(Promise.resolve(2))).rejects.toThrow("gone");
    // Whoever is late is not heard, and harms nobody.
    await expect(gate.wait(Promise.reject(new Error("late")))).rejects.toThrow("gone");
  });
});
