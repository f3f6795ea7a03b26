import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";

import { readState } from "../../cli/state-file.ts";
import { ask, openAnswer } from "../helpers/client.ts";
import { deployment } from "../helpers/proxy.ts";
import { streamReply, textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";
import { createHome, type Home, type Running } from "./command-line.ts";

const body = JSON.stringify({ model: "m", max_tokens: 5, stream: true, messages: [{ role: "user", content: "hi" }] });

let upstream: Upstream;

beforeEach(async () => {
  upstream = await startUpstream(textReply("hello", { input_tokens: 3, output_tokens: 5 }));
});

afterEach(() => upstream.close());

interface Started {
  readonly home: Home;
  readonly running: Running;
  readonly url: string;
  /** Asks as the command line does. */
  readonly control: <Answer = Readonly<Record<string, unknown>>>(path: string) => Promise<Answer>;
  readonly status: () => Promise<Status>;
}

interface Status {
  readonly pid: number;
  readonly answeredBy: number;
  readonly instance: string;
  readonly workers: readonly { readonly pid: number; readonly isReady: boolean; readonly restarts: number }[];
}

async function start(workers = 3, more: object = {}): Promise<Started> {
  const home = await createHome();
  await mkdir(home.directory, { recursive: true });
  await writeFile(path.join(home.directory, "config.yaml"), stringify({ model_list: [deployment("m", upstream.url)], ...more }));
  await writeFile(path.join(home.directory, "ccproxy.yaml"), stringify({ ccproxy: { num_workers: workers } }));
  const running = home.start(["start", "--port", "0"]);
  await running.shows(/listens on http:[^\s,]+/);
  const url = /listens on (http:[^\s,]+)/.exec(running.stdout() + running.stderr())?.[1] ?? "";
  const state = await readState(home.directory);
  if (state === undefined || state === "damaged" || state.server === null) throw new Error("there is no state file");
  const { controlToken } = state.server;
  const control = async <Answer>(to: string): Promise<Answer> =>
    (await ask(url, undefined, { method: "GET", path: to, headers: { "x-ccproxy-token": controlToken } })).json() as Answer;
  return { home, running, url, control, status: () => control<Status>("/ccproxy/status") };
}

/** Who takes a connection is for the system to say; while one is busy, another one does. */
async function pidsOf({ status }: Started, count: number): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (let tries = 0; tries < 100 && pids.size < count; tries++) {
    const all = await Promise.all(Array.from({ length: 64 }, async () => status()));
    for (const { answeredBy } of all) pids.add(answeredBy);
  }
  return pids;
}

async function statusWhere({ status }: Started, isWanted: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    // The one that is killed takes its connections with it.
    const found = await status().catch(() => undefined);
    if (found !== undefined && isWanted(found)) return found;
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("several workers", () => {
  test("answer at one address, under one name", async () => {
    const started = await start();
    expect((await pidsOf(started, 3)).size).toBe(3);
    const { workers, pid: first } = await started.status();
    expect(first).toBe(started.running.child.pid);
    expect(workers).toEqual([
      { pid: expect.any(Number), isReady: true, restarts: 0 },
      { pid: expect.any(Number), isReady: true, restarts: 0 },
    ]);
    expect(await started.home.ccproxy(["status", "--check"])).toMatchObject({ code: 0 });
    started.running.child.kill("SIGINT");
    expect(await started.running.finished).toMatchObject({ code: 0 });
    await Promise.all(workers.map(async ({ pid }) => untilGone(pid)));
  });

  test("one that is killed is replaced, and the others go on", async () => {
    const started = await start();
    const before = await started.status();
    const [victim] = before.workers;
    if (victim === undefined) throw new Error("there are no workers");
    process.kill(victim.pid, "SIGKILL");
    const after = await statusWhere(
      started,
      ({ workers }) => workers.length === 2 && workers.every(({ isReady }) => isReady) && workers.some(({ restarts }) => restarts === 1),
    );
    expect(after.workers.map(({ pid }) => pid)).not.toContain(victim.pid);
    const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await ask(started.url, body)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test("a stop lets answers end, whichever process gives them", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(streamReply({ stallAfter: { events: 3 }, stallUntil: goAhead.promise }));
    const started = await start();
    const answers = await Promise.all(Array.from({ length: 12 }, () => openAnswer(started.url, body)));
    await Promise.all(answers.map((answer) => answer.until("content_block_start")));
    started.running.child.kill("SIGTERM");
    await started.running.shows("stopping");
    goAhead.resolve();
    expect(await Promise.all(answers.map(({ ended }) => ended))).toEqual(answers.map(() => "clean"));
    expect(await started.running.finished).toMatchObject({ code: 0 });
  });

  test("end when the first one is killed, so that nobody holds the port", async () => {
    const started = await start();
    const { workers } = await started.status();
    started.running.child.kill("SIGKILL");
    await started.running.finished;
    await Promise.all(workers.map(async ({ pid }) => untilGone(pid)));
    await expect(ask(started.url, body)).rejects.toThrow();
  });

  test("share one ledger and one log, and explain each other's requests", async () => {
    const started = await start();
    const answers = await Promise.all(Array.from({ length: 24 }, async () => ask(started.url, body)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const ids = answers.map(({ headers }) => String(headers["x-ccproxy-request-id"]));
    for (const id of ids) expect(await started.control(`/ccproxy/traces/${id}`)).toMatchObject({ requestId: id });
    expect(ids).toContain((await started.control("/ccproxy/traces/last"))["requestId"]);
    expect(await started.control("/ccproxy/spend")).toMatchObject({ total: { requests: 24 } });
    started.running.child.kill("SIGINT");
    await started.running.finished;
    const { stdout: log } = await started.home.ccproxy(["logs", "--json", "-n", "1000"]);
    for (const id of ids) expect(log).toContain(id);
  });

  test("that cannot start are a start that fails, with the reason", async () => {
    const home = await createHome();
    await mkdir(home.directory, { recursive: true });
    await writeFile(path.join(home.directory, "config.yaml"), "model_list: 7\n");
    await writeFile(path.join(home.directory, "ccproxy.yaml"), stringify({ ccproxy: { num_workers: 2 } }));
    const { code, stderr } = await home.ccproxy(["start", "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("model_list");
  });

  test("hold a budget together", async () => {
    const masterKey = "sk-the-master-key";
    const priced = {
      ...(deployment("m", upstream.url) as object),
      model_info: { input_cost_per_token: 1e-4, output_cost_per_token: 1e-4 },
    };
    upstream.script(textReply("hello", { input_tokens: 100, output_tokens: 1000 }));
    const started = await start(3, { model_list: [priced], general_settings: { master_key: masterKey } });
    const created = await ask(started.url, JSON.stringify({ max_budget: 1 }), {
      path: "/key/generate",
      headers: { authorization: `Bearer ${masterKey}` },
    });
    const { key } = created.json() as { readonly key: string };
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () =>
        ask(started.url, body.replace('"stream":true', '"stream":false'), { headers: { "x-api-key": key } }),
      ),
    );
    const successes = answers.filter(({ status }) => status === 200).length;
    expect(answers.filter(({ status }) => status === 429).length).toBe(200 - successes);
    expect(successes).toBeGreaterThan(0);
    // Each costs 11 cents.
    expect(successes).toBeLessThanOrEqual(9);
  });
});
