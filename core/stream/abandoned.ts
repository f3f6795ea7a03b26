/**
 * What becomes of an upstream's answer whose caller has left. Most upstreams stop when the connection ends; of one that
 * bills the whole answer anyway the rest is read in the background, for what it cost.
 */

import type { ReplySummary } from "../../sdk/dialect.ts";
import { ClientGone } from "../body/collect.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { Deployment } from "../routing/deployment.ts";
import { HubWatch } from "../translation/hub-watch.ts";
import { headerValue } from "../upstream/headers.ts";
import { AbortGate } from "./abort-gate.ts";
import { type EventItem, readEvents, writeEvents } from "./event-source.ts";
import { pullFrom, pulledBody } from "./pulled.ts";

export interface AbandonedLimits {
  /** Of one answer, from when its caller left. */
  readonly maxBytes: number;
  readonly maxMs: number;
  /** At a time; further ones are aborted. */
  readonly maxCount: number;
}

const defaultLimits: AbandonedLimits = { maxBytes: 64 * 1024 * 1024, maxMs: 10 * 60_000, maxCount: 100 };

export interface Abandoned {
  /**
   * The same reply; when its caller leaves, or its reader gives up, the rest of it is read on.
   * @param onEnd told once, if it was: what the upstream itself said, as far as it was read
   */
  keep(exchange: Pick<Exchange, "ingress" | "signal">, reply: Reply, onEnd: (summary: ReplySummary) => void): Reply;
  /** Those that are being read. */
  readonly count: number;
  /** The proxy stops: all of them are let go. */
  stop(): void;
}

export interface AbandonedServices {
  inBackground(work: Promise<unknown>): void;
}

export function onDisconnectOf({ routing, provider }: Pick<Deployment, "routing" | "provider">): "abort" | "drain" {
  return routing.onDisconnect ?? (provider?.billsAbandoned === true ? "drain" : "abort");
}

export interface Detachable {
  readonly signal: AbortSignal;
  /** What becomes of the other signal is of no concern any more. */
  readonly detach: () => void;
}

/** A signal that follows another until told otherwise: what is to be read on may not be aborted with its caller. */
export function detachable(signal: AbortSignal): Detachable {
  const own = new AbortController();
  const onAbort = (): void => own.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return { signal: own.signal, detach: () => signal.removeEventListener("abort", onAbort) };
}

export function createAbandoned(services: AbandonedServices, limits: AbandonedLimits = defaultLimits): Abandoned {
  const going = new Set<AbortController>();

  /** @returns whether it is read on */
  function takeOver<Piece>(source: Reader<Piece>, asked: Promise<Piece | undefined> | undefined, onEnd: () => void): boolean {
    if (going.size >= limits.maxCount) return false;
    const stopping = new AbortController();
    going.add(stopping);
    const reading = readOn(source, asked, { limits, stopping }).finally(() => {
      going.delete(stopping);
      onEnd();
    });
    services.inBackground(reading);
    return true;
  }

  return {
    get count() {
      return going.size;
    },
    stop() {
      for (const stopping of going) stopping.abort(new Error("the proxy is stopping"));
    },
    keep({ ingress, signal }, reply, onEnd) {
      if (headerValue(reply.headers, "content-encoding") !== undefined) return reply;
      const isForeign = reply.format === "hub" && ingress.translation !== undefined;
      // Of one piece, it is read to its end before it is translated.
      if (isForeign && !reply.isEventStream) return reply;
      const hubWatch = new HubWatch();
      const reported = reply.events === undefined ? hubWatch : reply.reported;
      const events = reply.events ?? (isForeign ? readEvents(reply.body, hubWatch) : undefined);
      if (events !== undefined) {
        const source: Reader<readonly EventItem[]> = { next: () => events.next(), close: () => events.close(), sizeOf: sizeOfEvents };
        const kept = keepReading(source, signal, (asked) => takeOver(source, asked, () => onEnd(reported?.end() ?? nothing)));
        return { ...reply, events: kept, body: writeEvents(kept), reported };
      }
      const watch = ingress.watch(headerValue(reply.headers, "content-type")?.toLowerCase() ?? "application/json");
      const pulled = pullFrom(reply.body);
      const source: Reader<Uint8Array> = {
        async next() {
          const chunk = await pulled.next();
          if (chunk !== undefined) watch.push(chunk);
          return chunk;
        },
        close: () => pulled.close(),
        sizeOf: (chunk) => chunk.length,
      };
      const kept = keepReading(source, signal, (asked) => takeOver(source, asked, () => onEnd(watch.end())));
      return { ...reply, body: pulledBody(kept.next, kept.close) };
    },
  };
}

const nothing: ReplySummary = { complete: false, error: undefined, usage: undefined };

function sizeOfEvents(batch: readonly EventItem[]): number {
  return batch.reduce((sum, { data }) => sum + data.length, 0);
}

interface Reader<Piece> {
  next(): Promise<Piece | undefined>;
  /** Never rejects. */
  close(): Promise<void>;
  /** Bytes, about. */
  sizeOf(piece: Piece): number;
}

interface Kept<Piece> {
  readonly next: () => Promise<Piece | undefined>;
  readonly close: () => Promise<void>;
}

/** @param takeOver reads on, beginning with the piece that was asked for; false: it cannot */
function keepReading<Piece>(
  source: Reader<Piece>,
  signal: AbortSignal,
  takeOver: (asked: Promise<Piece | undefined> | undefined) => boolean,
): Kept<Piece> {
  const gate = new AbortGate(signal);
  let asked: Promise<Piece | undefined> | undefined;
  let isOver = false;

  async function close(): Promise<void> {
    if (isOver) return;
    isOver = true;
    gate.close();
    // Whoever stops the proxy waits for nobody.
    const mayGoOn = !signal.aborted || signal.reason instanceof ClientGone;
    if (!mayGoOn || !takeOver(asked)) await source.close();
  }

  return {
    async next() {
      if (isOver) return undefined;
      asked = source.next();
      let piece: Piece | undefined;
      try {
        piece = await gate.wait(asked);
        asked = undefined;
      } catch (error) {
        if (signal.aborted) await close();
        isOver = true;
        gate.close();
        throw error;
      }
      if (piece !== undefined) return piece;
      isOver = true;
      gate.close();
      return undefined;
    },
    close,
  };
}

interface ReadOnOptions {
  readonly limits: AbandonedLimits;
  /** Fired when it has been enough, or the proxy stops. */
  readonly stopping: AbortController;
}

/** Resolves at the end, or when it has been enough; never rejects. */
async function readOn<Piece>(
  source: Reader<Piece>,
  asked: Promise<Piece | undefined> | undefined,
  { limits, stopping }: ReadOnOptions,
): Promise<void> {
  const gate = new AbortGate(stopping.signal);
  const timer = setTimeout(() => stopping.abort(new Error("it took too long")), limits.maxMs);
  let bytes = 0;
  try {
    for (let next = asked ?? source.next(); ; next = source.next()) {
      const piece = await gate.wait(next);
      if (piece === undefined) return;
      bytes += source.sizeOf(piece);
      if (bytes > limits.maxBytes) break;
    }
  } catch {
    // What was read by then counts.
  } finally {
    clearTimeout(timer);
    gate.close();
    await source.close();
  }
}
