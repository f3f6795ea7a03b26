/** The three things that are held: what an upstream's socket fills, what a stage has wrapped, and events of the hub. */

import { ByteQueue } from "../upstream/byte-queue.ts";
import type { EventItem, EventSource } from "./event-source.ts";
import type { Holdable } from "./hold.ts";
import { type Pull, pullFrom, pulledBody } from "./pulled.ts";

export function holdBody(body: AsyncIterable<Uint8Array>): Holdable<Uint8Array, AsyncIterable<Uint8Array>> {
  return body instanceof ByteQueue ? holdQueue(body) : holdIterable(body);
}

/** The same queue goes on, and with it the short way of its bytes. */
function holdQueue(queue: ByteQueue): Holdable<Uint8Array, ByteQueue> {
  return {
    read(take, finish) {
      queue.forEach((chunk) => {
        if (take(chunk) === "enough") queue.giveBack([]);
        return undefined;
      }, finish);
    },
    handOn(taken) {
      queue.giveBack(taken);
      return queue;
    },
    letGo() {
      queue.giveBack([]);
      void queue.return();
    },
  };
}

function holdIterable(body: AsyncIterable<Uint8Array>): Holdable<Uint8Array, AsyncIterable<Uint8Array>> {
  const source = pullFrom(body);
  const pieces = holdPulled(() => source.next());
  return {
    read: pieces.read,
    letGo: () => void source.close(),
    handOn: (taken) => pulledBody(pieces.handOn(taken), () => source.close()),
  };
}

export function holdEvents(source: EventSource): Holdable<readonly EventItem[], EventSource> {
  const batches = holdPulled(() => source.next());
  return {
    read: batches.read,
    letGo: () => void source.close(),
    handOn(taken) {
      const held = taken.flat();
      const next = batches.handOn(held.length === 0 ? [] : [held]);
      return { next, close: () => source.close() };
    },
  };
}

/** A piece that was asked for while held is given on when it comes. */
function holdPulled<Piece>(pull: Pull<Piece>): Pick<Holdable<Piece, Pull<Piece>>, "read" | "handOn"> {
  let pending: Promise<Piece | undefined> | undefined;
  let isOver = false;
  let end: { readonly error: unknown } | undefined;
  return {
    read(take, finish) {
      const go = async (): Promise<void> => {
        try {
          for (;;) {
            pending = pull();
            const piece = await pending;
            if (isOver) return;
            pending = undefined;
            if (piece === undefined) break;
            if (take(piece) === "enough") return;
          }
        } catch (error) {
          // Whoever goes on waits for the same.
          if (isOver) return;
          pending = undefined;
          end = { error };
          finish(error);
          return;
        }
        finish();
      };
      void go();
    },
    handOn(taken) {
      isOver = true;
      const left = [...taken];
      return () => {
        const piece = left.shift();
        if (piece !== undefined) return Promise.resolve(piece);
        const asked = pending;
        pending = undefined;
        if (asked !== undefined) return asked;
        return end === undefined ? pull() : Promise.reject(end.error);
      };
    },
  };
}
