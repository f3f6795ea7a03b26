/** Takes the events of all streams to the hosts: what comes at about the same time travels in one message. */

import { OpenStream } from "./event-stream.ts";
import type { Host, HostClient } from "./host.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import type { StreamBatch } from "./protocol.ts";
import type { EventStream, StreamCall, StreamResult } from "./sandbox.ts";

export interface EventHub {
  open(program: Program, call: StreamCall): EventStream;
}

/** A message with many streams takes longer, although none of them may take more than its slice. */
const msPerStream = 5;
const maxExtraMs = 1000;

/**
 * A message costs as much as the events of a dozen streams. With few streams every turn of the loop may have its own;
 * with many, events wait this long for those of the others.
 */
const manyStreams = 8;
const gatherMs = 2;

export function createEventHub(pool: Pool): EventHub {
  let waiting: OpenStream[] = [];
  let flushedAt = 0;
  let openStreams = 0;

  const send = (stream: OpenStream): void => {
    if (waiting.length === 0) {
      const waitMs = openStreams < manyStreams ? 0 : flushedAt + gatherMs - performance.now();
      if (waitMs > 0) setTimeout(flush, waitMs);
      else setImmediate(flush);
    }
    waiting.push(stream);
  };
  const flush = (): void => {
    flushedAt = performance.now();
    const streams = waiting;
    waiting = [];
    const homeless: OpenStream[] = [];
    const byHost = new Map<Host, OpenStream[]>();
    for (const stream of streams) {
      // Code of the user's may remember something of a stream, so it stays where it began.
      const host = stream.host?.isOpen === true ? stream.host : pool.active;
      if (host?.isOpen !== true) homeless.push(stream);
      else {
        const others = byHost.get(host);
        if (others === undefined) byHost.set(host, [stream]);
        else others.push(stream);
      }
    }
    for (const [host, those] of byHost) sendTo(host, those);
    if (homeless.length === 0) return;
    pool.withHost((host) => {
      if (host !== undefined) sendTo(host, homeless);
      else for (const stream of homeless) stream.giveUp();
    });
  };
  const sendTo = (host: Host, streams: readonly OpenStream[]): void => {
    const groups: OpenStream[][] = [];
    for (const stream of streams) {
      // Mostly there is one program with one slice, and so one group.
      const group = stream.isAlone ? undefined : groups.find(([first]) => first !== undefined && mayGoTogether(first, stream));
      if (group === undefined) groups.push([stream]);
      else group.push(stream);
    }
    for (const group of groups) sendMessage(host, group);
  };

  return {
    open(program, call) {
      openStreams++;
      return new OpenStream(program, call, send, () => openStreams--);
    },
  };
}

function mayGoTogether(one: OpenStream, other: OpenStream): boolean {
  return one.program === other.program && one.sliceMs === other.sliceMs && !one.isAlone;
}

function sendMessage(host: Host, wanted: readonly OpenStream[]): void {
  const streams: OpenStream[] = [];
  const batches: StreamBatch[] = [];
  let units = 0;
  for (const stream of wanted) {
    const batch = stream.message(host);
    if (batch === undefined) continue;
    streams.push(stream);
    batches.push(batch);
    units += batch.units.length;
  }
  const [first] = streams;
  if (first === undefined) return;
  const { program, sliceMs } = first;
  const message = { type: "events", id: host.newId(), version: program.version, sliceMs, streams: batches } as const;
  const extraMs = Math.min((streams.length - 1) * msPerStream, maxExtraMs);
  // A unit is begun for all streams, and again for each when that fails.
  const terms = { limitMs: sliceMs + extraMs, maxBegins: 8 * units };
  const client: HostClient = {
    answered(answer) {
      const results = answer.type === "events-done" ? readResults(answer.streams, streams) : "it answered events with something else";
      if (typeof results === "string") return host.distrust(results, client);
      for (const [index, result] of results.entries()) streams[index]?.answered(result);
    },
    lost(loss) {
      for (const stream of streams) stream.lost(loss, streams.length === 1);
    },
  };
  host.ask(message, terms, client);
}

/** All of them before any is used: a host that is wrong about one is believed in none. */
function readResults(value: unknown, streams: readonly OpenStream[]): readonly StreamResult[] | string {
  if (!Array.isArray(value) || value.length !== streams.length) return "it did not say of every stream what became of it";
  const results: StreamResult[] = [];
  for (const [index, stream] of streams.entries()) {
    const result = stream.read(value[index]);
    if (typeof result === "string") return result;
    results.push(result);
  }
  return results;
}
