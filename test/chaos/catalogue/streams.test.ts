import { setImmediate as nextTurn } from "node:timers/promises";

import { afterEach, describe, expect, it } from "vitest";

import { answers, gate, inBandError, plain, raw, resets, streams } from "../acts.ts";
import { readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";
import type { Act } from "../upstream.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

const complete = { type: "complete" };
const broken = { type: "error", of: "api_error" };

describe.each(Object.values(wires))("over $name", (wire) => {
  /** The one that fails is asked first. */
  const startWithTwo = (fails: Act, more: Omit<SceneOptions, "entries"> & { readonly params?: object } = {}): Promise<void> =>
    start(
      [
        { name: "a", wire, acts: [fails], ...(more.params === undefined ? {} : { params: { ...more.params } }) },
        { name: "b", wire, acts: [answers("from b")] },
      ],
      more,
    );

  async function expectTheOther(): Promise<void> {
    const answer = await scene.ask();
    expect([answer.status, answer.end, readStream(answer.text)]).toMatchObject([
      200,
      "clean",
      { text: "from b", ending: complete, afterEnd: 0 },
    ]);
    expect(await scene.attempts(answer)).toEqual(["a", "b"]);
    expect(answer.headers).toMatchObject({
      "x-ccproxy-attempts": "2",
      "x-ccproxy-deployment": "b",
      "x-litellm-attempted-retries": "1",
      "x-litellm-attempted-fallbacks": "0",
    });
    await scene.idle();
    expect((await scene.health())["a"]?.minute).toMatchObject({ requests: 1, failures: 1 });
    expect(scene.places["b"]?.heard).toHaveLength(1);
    expect(await scene.records()).toMatchObject([{ outcome: "completed", status: 200, attempts: 2, deployment: "b" }]);
  }

  /** @param text what the client has seen before the host goes on @param message a part of what it is told */
  async function expectBroken(open: () => void, text: string, message: string): Promise<void> {
    const answer = await scene.open();
    await answer.until("content_block_delta");
    open();
    expect([answer.status, await answer.ended]).toEqual([200, "clean"]);
    const read = readStream(answer.text);
    expect(read).toMatchObject({ text, ending: { ...broken, message: expect.stringContaining(message) }, afterEnd: 0 });
    expect(await scene.attempts(answer)).toEqual(["a"]);
    await scene.idle();
    expect((await scene.health())["a"]?.minute).toMatchObject({ requests: 1, successes: 0, failures: 1 });
    expect(scene.places["b"]?.heard).toHaveLength(0);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1, deployment: "a" }]);
  }

  it("N1: a reset before the headers: the next deployment answers", async () => {
    await startWithTwo(resets);
    await expectTheOther();
  });

  it.each(["reset", "fin"] as const)("N3: a connection that ends behind the first content (%s): the protocol's error", async (how) => {
    const seen = gate();
    await startWithTwo(streams("from a, broken", { at: { content: 2 }, when: seen.opened, how }));
    await expectBroken(seen.open, "from a, ", "broke off in the middle of its answer");
  });

  it("N4: a proper end without the last event: the protocol's error", async () => {
    const seen = gate();
    await startWithTwo(streams("from a, broken", { at: { content: 2 }, when: seen.opened, how: "end" }));
    await expectBroken(seen.open, "from a, ", "before the answer was complete");
  });

  it.each(["end", "fin", "reset"] as const)("N4: an end before there was any content (%s): the next deployment answers", async (how) => {
    await startWithTwo(streams("never said", { at: { pieces: 1 }, how }));
    await expectTheOther();
  });

  it("F8: a stall before there is content: the next deployment answers", async () => {
    await startWithTwo(streams("never said", { at: { pieces: 1 }, how: "stall" }), { params: { idle_timeout: 0.1 } });
    await expectTheOther();
    await scene.places["a"]?.heard[0]?.closed;
  });

  it("F8: a stall behind the first content: the protocol's error, and the host is let go", async () => {
    await startWithTwo(streams("from a, broken", { at: { content: 2 }, how: "stall" }), { params: { idle_timeout: 0.1 } });
    await expectBroken(() => undefined, "from a, ", "sent nothing for 0.1 s");
    await scene.places["a"]?.heard[0]?.closed;
  });

  it("N5: silence behind the headers: held for a while, then pinged, then the protocol's error", async () => {
    const left = streams("never said", { at: { pieces: 1 }, how: "stall" });
    await startWithTwo(left, { router: { hold_seconds: 0.05, idle_timeout: 0.5 }, timing: { pingAfterMs: 20 } });
    const answer = await scene.open();
    await answer.until("event: ping");
    expect(await answer.ended).toBe("clean");
    const { events, ending } = readStream(answer.text);
    // What says nothing yet is told by the client's own wire alone.
    expect(events.filter((name) => name !== "ping")).toEqual(wire.name === "anthropic" ? ["message_start", "error"] : ["error"]);
    expect(ending).toMatchObject({ ...broken, message: expect.stringContaining("sent nothing for 0.5 s") });
    // Once bytes have gone out, nobody else may answer.
    expect(await scene.attempts(answer)).toEqual(["a"]);
    await scene.places["a"]?.heard[0]?.closed;
  });

  it("N7: a byte at a time: as it was, and nobody loses patience", async () => {
    await start([{ name: "a", wire, acts: [streams("from a, slowly", { drip: nextTurn })], params: { idle_timeout: 5 } }]);
    const answer = await scene.ask();
    expect([answer.end, readStream(answer.text)]).toMatchObject(["clean", { text: "from a, slowly", ending: complete, afterEnd: 0 }]);
    expect(await scene.attempts(answer)).toEqual(["a"]);
  });

  const page = plain(200, "<html><title>Sign in</title>to the network</html>", { "content-type": "text/html" });

  it("N12: a page in place of a stream: the next deployment answers", async () => {
    await startWithTwo(page);
    await expectTheOther();
  });

  it("N12: a page where there is nobody else: a 502 that shows how it begins", async () => {
    await start([{ name: "a", wire, acts: [page] }], { router: { num_retries: 0 } });
    const answer = await scene.ask();
    expect([answer.status, answer.json()]).toMatchObject([
      502,
      { type: "error", error: { type: "api_error", message: expect.stringContaining("<html><title>Sign in</title>to the") } },
    ]);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 502, attempts: 1 }]);
  });

  it("F9: an error in JSON, with 200, where a stream was asked for: the next deployment answers", async () => {
    await startWithTwo((line) => plain(200, wire.fail("broken", line.asked).body)(line));
    await expectTheOther();
  });

  it("F9: bytes that are no HTTP: the next deployment answers", async () => {
    await startWithTwo(raw("\u0000\u0001 what is this?\r\n\r\n"));
    await expectTheOther();
  });

  it("F9: a stream that holds no events: the next deployment answers", async () => {
    await startWithTwo(plain(200, "nothing of the kind", { "content-type": "text/event-stream" }));
    await expectTheOther();
  });

  it("N13: an error as the first event: the next deployment answers", async () => {
    await startWithTwo(streams("never said", { at: { pieces: 1 }, how: inBandError(wire) }));
    await expectTheOther();
  });

  it("N14: an error behind the content: told as it came, and it counts against the deployment", async () => {
    const seen = gate();
    await startWithTwo(streams("from a, broken", { at: { content: 2 }, when: seen.opened, how: inBandError(wire) }));
    const answer = await scene.open();
    await answer.until("content_block_delta");
    seen.open();
    expect(await answer.ended).toBe("clean");
    const { text, ending, afterEnd } = readStream(answer.text);
    expect([text, ending, afterEnd]).toEqual(["from a, ", { type: "error", of: "overloaded_error", message: "Overloaded" }, 0]);
    await scene.idle();
    expect((await scene.health())["a"]?.minute).toMatchObject({ successes: 0, failures: 1 });
    expect(scene.places["b"]?.heard).toHaveLength(0);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1, error: expect.anything() }]);
  });
});
