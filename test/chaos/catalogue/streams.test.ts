import { afterEach, describe, expect, it } from "vitest";

import { answers, gate, hangsUp, inBandError, plain, resets, streams } from "../acts.ts";
import { readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<Scene> {
  scene = await startScene({ entries, ...more });
  return scene;
}

describe.each(Object.values(wires))("over $name", (wire) => {
  it("N1: a reset before the headers: the next deployment answers", async () => {
    await start([
      { name: "a", wire, acts: [resets] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    const answer = await scene.ask();
    expect([answer.status, readStream(answer.text)]).toMatchObject([200, { text: "from b", ending: { type: "complete" }, afterEnd: 0 }]);
    expect(await scene.attempts(answer)).toEqual(["a", "b"]);
    expect(answer.headers).toMatchObject({ "x-ccproxy-attempts": "2", "x-ccproxy-deployment": "b", "x-litellm-attempted-retries": "1" });
    expect(await scene.records()).toMatchObject([{ outcome: "completed", status: 200, attempts: 2, deployment: "b" }]);
  });

  it("N3: a reset behind the first content: the protocol's error, and nobody else is asked", async () => {
    const seen = gate();
    await start([
      { name: "a", wire, acts: [streams("from a, broken", { at: { content: 2 }, when: seen.opened, how: "reset" })] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    const answer = await scene.open();
    await answer.until("content_block_delta");
    seen.open();
    expect(await answer.ended).toBe("clean");
    const read = readStream(answer.text);
    expect(read).toMatchObject({ text: "from a, ", ending: { type: "error", of: "api_error" }, afterEnd: 0 });
    expect(scene.places["b"]?.heard).toHaveLength(0);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1, deployment: "a" }]);
  });
});
