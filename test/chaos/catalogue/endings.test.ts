import { afterEach, describe, expect, it } from "vitest";

import { openaiResponsesWire } from "../../helpers/wires/openai-responses.ts";
import { answers, gate, inBandError, refuses, streams } from "../acts.ts";
import { type ClientName, clients, readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

const all = { ...wires, "openai-responses": openaiResponsesWire };
/** How each client's protocol names a failure of the host, and one that has too much to do. */
const names: Readonly<Record<ClientName, { readonly broken: string; readonly overloaded: string; readonly status: number }>> = {
  anthropic: { broken: "api_error", overloaded: "overloaded_error", status: 529 },
  "openai-chat": { broken: "server_error", overloaded: "server_is_overloaded", status: 503 },
  "openai-responses": { broken: "server_error", overloaded: "server_is_overloaded", status: 503 },
};
const pairs = Object.keys(names).flatMap((client) => Object.values(all).map((wire) => ({ client: client as ClientName, wire })));

describe.each(pairs)("a client that speaks $client, a host that speaks $wire.name", ({ client, wire }) => {
  it.each(["fin", "reset", "end", "stall"] as const)(
    "R3: a stream that breaks off (%s): its protocol's error, and no proper end",
    async (how) => {
      const seen = gate();
      const breaks = streams("from a, broken", { at: { content: 2 }, when: seen.opened, how });
      await start([{ name: "a", wire, acts: [breaks], params: { idle_timeout: 0.2 } }]);
      const answer = await scene.open({ client });
      await answer.until("a, ");
      seen.open();
      expect([answer.status, await answer.ended]).toEqual([200, "clean"]);
      const { text, ending, afterEnd } = readStream(answer.text, client);
      expect([text, ending, afterEnd]).toMatchObject(["from a, ", { type: "error", of: names[client].broken }, 0]);
      expect(answer.text).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
      expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", attempts: 1 }]);
    },
  );

  it("R4: an error of the host within a stream: told once, and counted", async () => {
    const seen = gate();
    await start([
      { name: "a", wire, acts: [streams("from a, broken", { at: { content: 2 }, when: seen.opened, how: inBandError(wire) })] },
    ]);
    const answer = await scene.open({ client });
    await answer.until("a, ");
    seen.open();
    expect(await answer.ended).toBe("clean");
    const { text, ending, afterEnd } = readStream(answer.text, client);
    expect([text, ending, afterEnd]).toMatchObject(["from a, ", { type: "error", message: "Overloaded" }, 0]);
    await scene.idle();
    expect((await scene.health())["a"]?.minute).toMatchObject({ successes: 0, failures: 1 });
  });

  it("R1: the same before there was any content: the next deployment answers, and of the first nothing is seen", async () => {
    await start([
      { name: "a", wire, acts: [streams("never said", { at: { pieces: 1 }, how: inBandError(wire) })] },
      { name: "b", acts: [answers("from b")] },
    ]);
    const answer = await scene.ask({ client });
    expect([answer.status, readStream(answer.text, client)]).toMatchObject([
      200,
      { text: "from b", ending: { type: "complete" }, afterEnd: 0 },
    ]);
    expect(await scene.attempts(answer)).toEqual(["a", "b"]);
  });

  it("F6: overloaded, and nobody else to ask: its protocol's error and status", async () => {
    await start([{ name: "a", wire, acts: [refuses(529, { message: "Overloaded" })] }], { router: { num_retries: 1 } });
    const answer = await scene.ask({ client });
    // In the client's own dialect as the host said it.
    const { status, overloaded: of } = names[client];
    expect([answer.status, clients[client].error(answer.json())]).toEqual([
      wire.name === client ? 529 : status,
      { of, message: "Overloaded" },
    ]);
    expect(answer.headers).toMatchObject({ "x-should-retry": "false", "x-ccproxy-attempts": "2" });
  });
});
