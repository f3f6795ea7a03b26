import { afterEach, describe, expect, it } from "vitest";

import { answers, gate, refuses, silent, streams } from "../acts.ts";
import { bodyOf, readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";
import { dial, rawPost } from "../../helpers/client.ts";
import { statusOf } from "../../helpers/exchanges.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

/** Nothing is under way, nobody is to blame, and the record says who left. */
async function expectGone(attempts: number): Promise<void> {
  await scene.idle();
  const { deployments, upstreams } = await statusOf(scene.proxy);
  for (const { inFlight, cooldown } of deployments) expect([inFlight, cooldown]).toEqual([0, null]);
  for (const { inFlight, queued, retries } of upstreams) expect([inFlight, queued, retries]).toEqual([0, 0, 0]);
  expect(await scene.records()).toMatchObject([{ outcome: "client-gone", attempts }]);
}

describe.each(Object.values(wires))("over $name", (wire) => {
  it("N26: a client that leaves while its request waits for another attempt: there is none", async () => {
    // A wait of which nobody sees the end.
    await start([{ name: "a", wire, acts: [refuses(529, { headers: { "retry-after": "9" } })] }]);
    const client = await dial(scene.proxy.url);
    client.write(rawPost(scene.proxy.url, bodyOf({})));
    while ((await statusOf(scene.proxy)).deployments[0]?.minute.failures !== 1);
    client.socket.destroy();
    await expectGone(1);
    expect(scene.places["a"]?.heard).toHaveLength(1);
  });

  it("N26: a client that leaves while the head of its stream is held: the host is let go, and nobody else is asked", async () => {
    await start([
      { name: "a", wire, acts: [streams("never said", { at: { pieces: 1 }, how: "stall" })] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    const client = await dial(scene.proxy.url);
    client.write(rawPost(scene.proxy.url, bodyOf({})));
    await scene.places["a"]?.next();
    client.socket.destroy();
    await scene.places["a"]?.heard[0]?.closed;
    await expectGone(1);
    expect([scene.places["b"]?.heard.length, client.text]).toEqual([0, ""]);
  });

  it("N26: a client that leaves while its request waits for a slot: it is never sent", async () => {
    await start([{ name: "a", wire, acts: [silent], params: { max_parallel_requests: 1 } }]);
    const first = await dial(scene.proxy.url);
    first.write(rawPost(scene.proxy.url, bodyOf({})));
    await scene.places["a"]?.next();
    const second = await dial(scene.proxy.url);
    second.write(rawPost(scene.proxy.url, bodyOf({})));
    while ((await statusOf(scene.proxy)).openExchanges < 2);
    second.socket.destroy();
    while ((await statusOf(scene.proxy)).openExchanges > 1);
    first.socket.destroy();
    await scene.idle();
    expect(scene.places["a"]?.heard).toHaveLength(1);
    // The slot is there for the next one.
    scene.places["a"]?.script(answers("from a"));
    expect(readStream((await scene.ask()).text).text).toBe("from a");
  });

  it("N26: a client that leaves between two deployments, and before either answers: each is asked once at most", async () => {
    const asked = gate();
    await start([
      { name: "a", wire, acts: [refuses(500)] },
      { name: "b", wire, acts: [(line) => (asked.open(), silent(line))] },
      { name: "c", wire, acts: [answers("from c")] },
    ]);
    const client = await dial(scene.proxy.url);
    client.write(rawPost(scene.proxy.url, bodyOf({})));
    await asked.opened;
    client.socket.destroy();
    await scene.places["b"]?.heard[0]?.closed;
    await expectGone(2);
    expect(scene.places["c"]?.heard).toHaveLength(0);
  });

  it("F16: what failed and what answered: both in the books, one in the answer", async () => {
    await start([
      { name: "a", wire, acts: [streams("never said", { at: { pieces: 1 }, how: "fin" })] },
      {
        name: "b",
        wire,
        acts: [answers({ parts: [{ type: "text", text: "from b" }], usage: { input: 11, cached: 0, output: 5, reasoning: 0 } })],
      },
    ]);
    const answer = await scene.ask();
    expect(await scene.attempts(answer)).toEqual(["a", "b"]);
    expect(await scene.health()).toMatchObject({
      a: { minute: { requests: 1, successes: 0, failures: 1, tokens: 0 } },
      b: { minute: { requests: 1, successes: 1, failures: 0, tokens: 16 } },
    });
    expect(await scene.records()).toMatchObject([
      { attempts: 2, deployment: "b", modelServed: expect.stringMatching(/-b$/), inputTokens: 11, outputTokens: 5 },
    ]);
  });
});

describe("thoughts that are sealed", () => {
  const fields = {
    messages: [
      { role: "user", content: "Why?" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Because…", signature: "c2VhbGVkLWJ5LWE=" },
          { type: "text", text: "Therefore." },
        ],
      },
      { role: "user", content: "And then?" },
    ],
  };

  it("F17: to the model that sealed them as they are; a fallback of another vendor sees none of it", async () => {
    await start(
      [
        { name: "a", acts: [refuses(529)] },
        { name: "n", wire: wires["openai-chat"], group: "other", acts: [answers("from n")] },
      ],
      { router: { num_retries: 0, fallbacks: [{ m: ["other"] }] } },
    );
    const answer = await scene.ask({ fields });
    expect([answer.status, readStream(answer.text).text]).toEqual([200, "from n"]);
    expect(scene.places["a"]?.heard[0]?.asked.body["messages"]).toEqual(fields.messages);
    const second = scene.places["n"]?.heard[0]?.asked;
    expect(JSON.stringify(second?.body)).not.toMatch(/c2VhbGVk|signature/);
    expect(second?.turns.flatMap(({ parts }) => parts)).toContainEqual({ type: "text", text: "Therefore." });
  });

  it("F17: refused as invalid: asked once more without them", async () => {
    const message = "messages.1.content.0: Invalid `signature` in `thinking` block";
    await start([
      { name: "a", wire: wires["openai-chat"], acts: [refuses(400, { type: "invalid_request_error", message }), answers("from a")] },
    ]);
    const answer = await scene.ask({ fields });
    expect([answer.status, readStream(answer.text).text]).toEqual([200, "from a"]);
    expect(scene.places["a"]?.heard).toHaveLength(2);
    expect(await scene.attempts(answer)).toEqual(["a", "a"]);
  });
});
