import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { ask } from "../helpers/client.ts";
import { statusOf } from "../helpers/exchanges.ts";
import { deployment, startProxy } from "../helpers/proxy.ts";
import { textReply } from "../helpers/replies.ts";
import { startUpstream } from "../helpers/upstream.ts";

/** With a side effect of 300 ms each, some 200 requests a second where the machine can. */
const clients = 80;
const effectMs = 300;
const betweenKillsMs = 60;
const kills = 100;

interface Effects {
  readonly url: string;
  /** How often each was asked for, by the request it is for. */
  readonly byRequest: ReadonlyMap<string, number>;
}

/** Does what hooks ask for, slowly. */
async function startEffects(): Promise<Effects> {
  const byRequest = new Map<string, number>();
  const server = createServer((request, response) => {
    const name = request.url ?? "";
    byRequest.set(name, (byRequest.get(name) ?? 0) + 1);
    request.resume().once("end", () => setTimeout(() => response.end("done"), effectMs));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}`, byRequest };
}

it(
  "a hundred hosts are killed under requests that wait for their hooks: none fails, each has its side effect once",
  { timeout: 180_000 },
  async () => {
    const effects = await startEffects();
    await using upstream = await startUpstream(textReply("hello"));
    const hook = `
    import { defineHook } from "ccproxy/sdk";
    export default defineHook({
      async preCall(request, context) {
        const reply = await context.fetch("${effects.url}/" + request.metadata.user_id, { method: "POST", body: "x" });
        request.system = reply.text();
      },
      onEvent(event, context) {
        if (event.type === "content_block_delta") event.delta.text = event.delta.text.toUpperCase();
      },
    });`;
    await using proxy = await startProxy({
      config: { model_list: [deployment("m", upstream.url)] },
      ccproxy: { hooks: [{ hook: "./hooks/effect.ts", grants: [`fetch:${effects.url}`], required: true, timeout_ms: 60_000 }] },
      files: { "hooks/effect.ts": hook, "rules/m.ts": 'import { defineRule } from "ccproxy/sdk"; export default defineRule(() => "m");' },
    });
    const wrong: string[] = [];
    const asked: string[] = [];
    const load = { isOn: true, inFlight: 0 };
    async function client(number: number): Promise<void> {
      for (let turn = 0; load.isOn; turn++) {
        const name = `${number}-${turn}`;
        asked.push(name);
        load.inFlight++;
        const body = {
          model: "claude",
          max_tokens: 9,
          stream: turn % 2 === 0,
          metadata: { user_id: name },
          messages: [{ role: "user", content: "hi" }],
        };
        const answer = await ask(proxy.url, JSON.stringify(body));
        load.inFlight--;
        if (answer.status !== 200 || !answer.text.includes("HELLO")) wrong.push(`${answer.status} ${answer.text.slice(0, 300)}`);
      }
    }
    const begun = performance.now();
    const running = Array.from({ length: clients }, (_, number) => client(number));

    let leastInFlight = Infinity;
    const recoveries: number[] = [];
    for (let killed = 0; killed < kills; killed++) {
      let pid: number | undefined;
      while (pid === undefined || load.inFlight < 50) {
        const { sandbox } = (await statusOf(proxy)).userCode;
        pid = sandbox?.spare == null ? undefined : sandbox.active?.pid;
        if (pid === undefined || load.inFlight < 50) await delay(5);
      }
      leastInFlight = Math.min(leastInFlight, load.inFlight);
      process.kill(pid, "SIGKILL");
      const since = performance.now();
      while ((await statusOf(proxy)).userCode.sandbox?.active?.pid === pid) await delay(1);
      recoveries.push(performance.now() - since);
      await delay(betweenKillsMs);
    }
    load.isOn = false;
    await Promise.all(running);
    const perSecond = asked.length / ((performance.now() - begun) / 1000);

    expect(wrong).toEqual([]);
    expect(leastInFlight).toBeGreaterThanOrEqual(50);
    expect(asked.length).toBeGreaterThan(kills);
    expect([...effects.byRequest.values()].filter((times) => times !== 1)).toEqual([]);
    expect(effects.byRequest.size).toBe(asked.length);
    expect(upstream.requestsTo().every(({ body }) => body.includes('"system":"done"'))).toBe(true);
    const sorted = recoveries.toSorted((one, other) => one - other);
    process.stdout.write(
      `${asked.length} requests, ${perSecond.toFixed(0)} a second, ${kills} kills; another host took over within ${sorted[kills >> 1]?.toFixed(0)} ms (median), ${sorted.at(-1)?.toFixed(0)} ms (worst)\n`,
    );
  },
);
