/** Many streams open at once, one event a second on each: what each costs in memory, and whether all get their events. */

import { requestBody } from "./bodies.ts";
import { Connection, encodeRequest, type Reply } from "./client.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { RunningLane } from "./running.ts";
import { treeCpuMs, treeRssMb } from "./process.ts";
import { setTimeout as delay } from "node:timers/promises";

export interface HeldResult {
  readonly lane: string;
  readonly streams: number;
  readonly holdMs: number;
  /** From the first request until every stream had its first bytes. */
  readonly openedMs: number;
  /** Of the fresh lane, before its first request: what the first requests load counts as the streams' too. */
  readonly rssBeforeMb: number;
  readonly rssHeldMb: number;
  readonly rssKbPerStream: number;
  /** Processor time of the lane per second while it only holds. */
  readonly cpuMsPerSecond: number;
  /** The longest any stream went without bytes while it was held. The upstream sends each second. */
  readonly longestSilenceMs: number;
  /** Of the lane's own event loop while it only holds, where that was measured. */
  readonly loop?: LoopDelay;
  /** Streams that did not end with all their events. */
  readonly broken: number;
  readonly failure: string | undefined;
}

/** A lane that takes so long holds fewer streams than it is asked to. */
const openingLimitMs = 60_000;

/**
 * Wants a fresh lane: memory that earlier load left behind would hide what the streams take.
 *
 * @param loopDelay of the lane since it was last asked
 */
export async function measureHeld(
  lane: RunningLane,
  streams: number,
  holdMs: number,
  loopDelay?: () => Promise<LoopDelay>,
): Promise<HeldResult> {
  const request = encodeRequest({
    port: lane.port,
    path: "/v1/messages?beta=true",
    body: requestBody("50k", "stream"),
    headers: lane.headers,
  });
  await lane.upstream.mode("held");

  const rssBeforeMb = lane.idleRssMb;
  const connections = Array.from({ length: streams }, () => new Connection(lane.port));
  const lastByteAt = new Float64Array(streams);
  let longestSilenceMs = 0;
  let isHolding = false;
  const replies: Promise<Reply | undefined>[] = [];
  let begun = 0;
  const startedAt = performance.now();
  try {
    const all = openAll(connections, 32, (connection, index, opened) => {
      const reply = connection.send(request, {
        onBytes() {
          const now = performance.now();
          if (lastByteAt[index] === 0) begun += 1;
          if (isHolding) longestSilenceMs = Math.max(longestSilenceMs, now - (lastByteAt[index] ?? now));
          lastByteAt[index] = now;
          opened();
        },
      });
      replies.push(
        reply.catch(() => {
          opened();
          return undefined;
        }),
      );
    });
    const isLate = await Promise.race([all.then(() => false), delay(openingLimitMs, true, { ref: false })]);
    if (isLate) throw new Error(`only ${begun} of ${streams} streams had begun after ${openingLimitMs / 1000} s`);
    const openedMs = performance.now() - startedAt;
    lastByteAt.fill(performance.now());
    isHolding = true;
    await loopDelay?.();
    const cpuBefore = treeCpuMs(lane.pid);
    await delay(holdMs);
    isHolding = false;
    const cpuMsPerSecond = ((treeCpuMs(lane.pid) - cpuBefore) / holdMs) * 1000;
    const loop = await loopDelay?.();
    const rssHeldMb = treeRssMb(lane.pid);
    const { openHeldStreams } = await lane.upstream.stats();
    await lane.upstream.mode("stream");
    const ended = await Promise.all(replies);
    const broken = ended.filter((reply) => reply?.status !== 200 || !reply.body.includes("event: message_stop")).length;
    const failure = openHeldStreams === streams ? undefined : `the upstream held ${openHeldStreams} streams, ${streams} were opened`;
    const rssKbPerStream = ((rssHeldMb - rssBeforeMb) * 1024) / streams;
    return {
      lane: lane.name,
      streams,
      holdMs,
      openedMs,
      rssBeforeMb,
      rssHeldMb,
      rssKbPerStream,
      cpuMsPerSecond,
      longestSilenceMs,
      ...(loop === undefined ? {} : { loop }),
      broken,
      failure,
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Opens with at most `atOnce` not yet answered. */
async function openAll(
  connections: readonly Connection[],
  atOnce: number,
  open: (connection: Connection, index: number, opened: () => void) => void,
): Promise<void> {
  const queue = connections.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, connection] of queue) await new Promise<void>((resolve) => open(connection, index, resolve));
    }),
  );
}
