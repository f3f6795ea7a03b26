/** Measures a hook that sees every event of many streams at once. */

import { setTimeout as delay } from "node:timers/promises";
import type { EventStream, Sandbox, StreamResult } from "../core/sandbox/sandbox.ts";
import { createRequestBody } from "../core/body/request-body.ts";
import { claudeCodeBody } from "../test/helpers/claude-body.ts";
import { benchContext, readFacts } from "./sandbox-context.ts";
import { eventHook } from "./sandbox-cases.ts";
import { percentile } from "./statistics.ts";

export interface EventCost {
  readonly streams: number;
  readonly eventsPerSecond: number;
  /** Processor time of the proxy's process, beyond that of the same events without a hook. */
  readonly cpuUsPerEvent: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
}

const streamCount = 50;
const eventsPerSecond = 100;

export async function measureEvents(sandbox: Sandbox, seconds: number): Promise<EventCost> {
  const program = await sandbox.load([eventHook]);
  const body = createRequestBody(claudeCodeBody());
  const context = benchContext(readFacts(body));
  const open = (index: number): EventStream =>
    program.openStream({ stream: `stream-${index}`, units: [0], context, stores: () => ({ state: {}, locals: {} }) });
  const without = (): EventStream => ({
    push: (events): Promise<StreamResult> => Promise.resolve({ events: events.map(() => 0), outcomes: [] }),
    close: () => undefined,
  });
  await stream(open, 1);
  const base = await stream(without, seconds);
  const hooked = await stream(open, seconds);
  program.release();
  return {
    streams: streamCount,
    eventsPerSecond: hooked.latenciesMs.length / seconds,
    cpuUsPerEvent: hooked.cpuUs / hooked.latenciesMs.length - base.cpuUs / base.latenciesMs.length,
    latencyP50Ms: percentile(hooked.latenciesMs, 0.5),
    latencyP99Ms: percentile(hooked.latenciesMs, 0.99),
  };
}

/** Every stream gets an event each ten milliseconds, at moments of its own, for so long. */
async function stream(
  open: (index: number) => EventStream,
  seconds: number,
): Promise<{ readonly cpuUs: number; readonly latenciesMs: readonly number[] }> {
  const latenciesMs: number[] = [];
  const total = seconds * eventsPerSecond;
  const before = process.cpuUsage();
  const since = performance.now();
  await Promise.all(
    Array.from({ length: streamCount }, async (_, index) => {
      const channel = open(index);
      for (let count = 0; count < total; count++) {
        const due = since + (count * 1000) / eventsPerSecond + (index * 1000) / eventsPerSecond / streamCount;
        const waitMs = due - performance.now();
        if (waitMs > 0) await delay(waitMs);
        const sent = performance.now();
        const text = JSON.stringify({
          type: "content_block_delta",
          index: 0,
          delta: { type: "text_delta", text: `piece of an answer ${count}` },
        });
        const { events, outcomes } = await channel.push([text]);
        const failed = outcomes.find(({ lost, error }) => lost !== undefined || error !== undefined);
        if (events.length !== 1 || failed !== undefined) throw new Error(`an event failed: ${failed?.lost ?? failed?.error?.message}`);
        latenciesMs.push(performance.now() - sent);
      }
      channel.close();
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, latenciesMs };
}
