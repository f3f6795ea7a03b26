/**
 * The proxy is killed again and again while requests flow. Then the ledger has to hold every answer that a caller has seen to its end, with the
 * tokens that the upstream counted, and everything that was sent.
 */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";

import { openSqlite } from "../../plugins/sqlite/index.ts";
import type { AttemptRecord, ExchangeRecord } from "../../sdk/ledger.ts";
import { createHome, type Home, type Running } from "../cli/command-line.ts";
import { ask } from "../helpers/client.ts";
import { deployment } from "../helpers/proxy.ts";
import { streamReply } from "../helpers/replies.ts";
import { seeded } from "../helpers/seeded.ts";
import { type Upstream, startUpstream } from "../helpers/upstream.ts";

/** `npm run chaos` takes more of them. */
const kills = Number(process.env["CCPROXY_CHAOS_KILLS"] ?? 6);
const seed = Number(process.env["CCPROXY_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const clients = 8;
const inputTokens = 7;
const nano = 1e-9;

let upstream: Upstream;
const received: number[] = [];

beforeAll(async () => {
  const random = seeded(seed);
  upstream = await startUpstream((request) => {
    const id = Number(JSON.parse(request.body.toString("utf8")).messages[0].content);
    received.push(id);
    return streamReply({ text: "so it goes", usage: { input_tokens: inputTokens, output_tokens: id }, delayMs: Math.floor(random() * 8) });
  });
});

afterAll(() => upstream.close());

async function start(home: Home): Promise<{ readonly running: Running; readonly url: string }> {
  const running = home.start(["start", "--port", "0"]);
  await running.shows(/listens on http:[^\s,]+/);
  return { running, url: /listens on (http:[^\s,]+)/.exec(running.stdout() + running.stderr())?.[1] ?? "" };
}

/** Asks until it is stopped. What came to its end is noted. */
async function load(url: string, next: () => number, seen: Set<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = next();
    const body = JSON.stringify({ model: "m", max_tokens: 5, stream: true, messages: [{ role: "user", content: String(id) }] });
    const answer = await ask(url, body).catch(() => undefined);
    if (answer === undefined) return;
    if (answer.text.includes("message_stop")) seen.add(id);
  }
}

test(`after ${kills} kills no answer is missing (seed ${seed})`, { timeout: 60_000 + kills * 5000 }, async () => {
  const home = await createHome();
  const random = seeded(seed + 1);
  await mkdir(home.directory, { recursive: true });
  const priced = { input_cost_per_token: nano, output_cost_per_token: nano };
  const entry = { ...(deployment("m", upstream.url) as object), model_info: priced };
  await writeFile(path.join(home.directory, "config.yaml"), stringify({ model_list: [entry], router_settings: { num_retries: 0 } }));

  let id = 1000;
  const seen = new Set<number>();
  for (let kill = 0; kill < kills; kill++) {
    const { running, url } = await start(home);
    const stopped = new AbortController();
    const loads = Array.from({ length: clients }, async () => load(url, () => (id += 1), seen, stopped.signal));
    await delay(50 + random() * 400);
    running.child.kill("SIGKILL");
    await running.finished;
    stopped.abort();
    await Promise.all(loads);
  }
  // The next one finds what the last one left.
  const { running } = await start(home);
  running.child.kill("SIGINT");
  await running.finished;

  const { attempts, exchanges } = await read(path.join(home.directory, "ccproxy.db"));
  const settled = attempts.filter(({ state }) => state === "settled");
  const counted = settled.map(({ settlement }) => settlement?.tokens?.output);
  expect(seen.size).toBeGreaterThan(kills * 5);
  expect([...seen].filter((each) => !counted.includes(each))).toEqual([]);
  expect(new Set(counted).size).toBe(counted.length);
  expect(counted.filter((each) => !received.includes(each ?? 0))).toEqual([]);
  for (const { settlement } of settled) expect(settlement?.cost).toBe(inputTokens + (settlement?.tokens?.output ?? 0));
  // What was sent was written down before; what was not settled is unknown, at its estimate.
  expect(attempts.length).toBeGreaterThanOrEqual(received.length);
  expect(attempts.filter(({ state }) => state === "reserved")).toEqual([]);
  for (const { estimate, settlement } of attempts.filter(({ state }) => state === "unknown")) {
    expect(estimate).toBeGreaterThan(0);
    expect(settlement).toMatchObject({ cost: estimate, isEstimate: true });
  }
  expect(exchanges.filter(({ end }) => end === undefined)).toEqual([]);
});

async function read(file: string): Promise<{ readonly attempts: readonly AttemptRecord[]; readonly exchanges: readonly ExchangeRecord[] }> {
  const store = openSqlite({ path: file, wallClock: () => Date.now() });
  const { ledger } = store;
  const exchanges = await ledger.exchanges({}, 1_000_000);
  const attempts: AttemptRecord[] = [];
  for (const exchange of exchanges) attempts.push(...(await ledger.attempts(exchange.id)));
  await store.close();
  return { attempts, exchanges };
}
