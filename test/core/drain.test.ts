/** The real command, as a process of its own, with a thousand streams open: through a reload, through a stop, past its grace. */

import type { ServerResponse } from "node:http";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";

import { createHome, type Home, type Running } from "../cli/command-line.ts";
import { ask, openAnswer, type OpenAnswer } from "../helpers/client.ts";
import { encodeEvent, messageEvents } from "../helpers/events.ts";
import { deployment } from "../helpers/proxy.ts";
import { rawReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const body = JSON.stringify({ model: "m", max_tokens: 64, stream: true, messages: [{ role: "user", content: "hi" }] });
const headers = { "user-agent": "claude-cli/2.0.0 (external, cli)", "anthropic-version": "2023-06-01" };
const slow = 60_000;

interface Drip {
  readonly upstream: Upstream;
  /** One more piece of text on every stream. */
  readonly drip: (text: string) => void;
  /** The proper end of every stream. */
  readonly finish: () => void;
}

/** An upstream whose streams go on only when the test says so. */
async function startDrip(): Promise<Drip> {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const open = new Set<ServerResponse>();
  const events = messageEvents({ blocks: [{ type: "text", text: "" }], model: "m" }).map(encodeEvent);
  const begun = events.findIndex((event) => event.includes("content_block_start")) + 1;
  upstream.script(
    rawReply((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(Buffer.concat(events.slice(0, begun)));
      open.add(response);
      response.once("close", () => open.delete(response));
    }),
  );
  return {
    upstream,
    drip(text) {
      const event = encodeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
      for (const response of open) response.write(event);
    },
    finish() {
      for (const response of open) response.end(Buffer.concat(events.slice(begun)));
    },
  };
}

interface Server {
  readonly home: Home;
  readonly running: Running;
  readonly url: string;
  readonly writeConfig: (upstream: Upstream) => Promise<void>;
}

async function startServer(upstream: Upstream, settings: Readonly<Record<string, unknown>>): Promise<Server> {
  const home = await createHome();
  await mkdir(home.directory, { mode: 0o700 });
  const write = (name: string, value: unknown): Promise<void> =>
    writeFile(path.join(home.directory, name), stringify(value), { mode: 0o600 });
  const writeConfig = ({ url }: Upstream): Promise<void> => write("config.yaml", { model_list: [deployment("m", url)] });
  await writeConfig(upstream);
  await write("ccproxy.yaml", { ccproxy: { port: 0, ...settings } });
  const running = home.start(["start"]);
  await running.shows("ccproxy listens on");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(running.stdout() + running.stderr())?.[0] ?? "";
  return { home, running, url, writeConfig };
}

/** Streams that have begun; not all at once, for a queue of connections has an end. */
async function openStreams(url: string, count: number): Promise<readonly OpenAnswer[]> {
  const answers: OpenAnswer[] = [];
  while (answers.length < count) {
    const some = Array.from({ length: Math.min(100, count - answers.length) }, () => openAnswer(url, body, { headers }));
    answers.push(...(await Promise.all(some)));
  }
  await Promise.all(answers.map((answer) => answer.until("content_block_start")));
  return answers;
}

async function readiness(url: string): Promise<{ readonly status: number; readonly connection: unknown; readonly snapshot: unknown }> {
  const answer = await ask(url, undefined, { method: "GET", path: "/health/readiness" });
  const { snapshot }: { readonly snapshot: unknown } = JSON.parse(answer.text);
  return { status: answer.status, connection: answer.headers.connection, snapshot };
}

/** Outcomes of the requests for "m" in the log, with how often. */
async function outcomes({ directory }: Home): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const line of (await readFile(path.join(directory, "ccproxy.log"), "utf8")).split("\n")) {
    if (line === "") continue;
    const { msg, outcome }: { readonly msg?: unknown; readonly outcome?: unknown } = JSON.parse(line);
    if (msg === "request") counts[String(outcome)] = (counts[String(outcome)] ?? 0) + 1;
  }
  return counts;
}

describe("a thousand open streams", () => {
  test(
    "live through a reload that takes their deployment away, and through a stop: none is cut (K7, K8)",
    async () => {
      const [before, after] = [await startDrip(), await startUpstream()];
      onTestFinished(() => after.close());
      const { home, running, url, writeConfig } = await startServer(before.upstream, {});
      const streams = await openStreams(url, 1000);
      before.drip("one");

      await writeConfig(after);
      while ((await readiness(url)).snapshot !== 2);
      expect((await ask(url, body, { headers })).text).toContain("message_stop");
      expect(after.requestsTo()).toHaveLength(1);
      before.drip("two");

      running.child.kill("SIGTERM");
      await running.shows("stopping");
      expect(await readiness(url)).toMatchObject({ status: 503, connection: "close" });
      const late = await ask(url, body, { headers });
      expect([late.status, late.headers.connection, late.text.includes("message_stop")]).toEqual([200, "close", true]);

      before.drip("three");
      before.finish();
      expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(streams.map(() => "clean"));
      const whole = /"one".*"two".*"three".*message_stop/s;
      expect(streams.filter(({ text }) => !whole.test(text) || text.includes("event: error"))).toEqual([]);
      expect(before.upstream.requests.filter(({ isAborted }) => isAborted)).toEqual([]);
      expect(await running.finished).toMatchObject({ code: 0, signal: null });
      expect(await outcomes(home)).toEqual({ completed: 1002 });
    },
    slow,
  );

  test(
    "that outlast the grace of a stop end with their protocol's error, and the process ends well",
    async () => {
      const { upstream, drip } = await startDrip();
      const { home, running, url } = await startServer(upstream, { grace_seconds: 1 });
      const streams = await openStreams(url, 1000);
      drip("one");
      running.child.kill("SIGTERM");
      expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(streams.map(() => "clean"));
      const ended = /"one".*\n\nevent: error\ndata: .*The proxy is stopping.*\n\n$/s;
      expect(streams.filter(({ text }) => !ended.test(text))).toEqual([]);
      expect(await running.finished).toMatchObject({ code: 0, signal: null });
      await Promise.all(upstream.requests.map(({ aborted }) => aborted));
      expect(await outcomes(home)).toEqual({ stopped: 1000 });
    },
    slow,
  );
});

test(
  "a second SIGTERM ends streams at once, each with its protocol's error, and none is missing in the log (N44)",
  async () => {
    const { upstream } = await startDrip();
    const { home, running, url } = await startServer(upstream, { grace_seconds: 600 });
    const streams = await openStreams(url, 50);
    const signals = setInterval(() => running.child.kill("SIGTERM"), 150);
    onTestFinished(() => clearInterval(signals));
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(streams.map(() => "clean"));
    for (const { text } of streams) expect(text).toMatch(/event: error\ndata: .*The proxy is stopping/);
    await running.finished;
    expect(await outcomes(home)).toEqual({ stopped: 50 });
  },
  slow,
);
