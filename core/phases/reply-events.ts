/** Replies on their way through `onEvent`: a stream as it comes, a whole reply told in the events that would have streamed it. */

import { events as hubEvents } from "../../sdk/hub/events.ts";
import type { Exchange } from "../exchange.ts";
import { type EventItem, type EventSource, madeEvent } from "../stream/event-source.ts";
import { EventHooks } from "./event-hooks.ts";
import { HookRefusal } from "./hook-refusal.ts";
import type { PhaseServices } from "./phase-services.ts";
import type { LoadedUnit, UserProgram } from "./user-program.ts";

/** The streams of the sandbox are opened with the first event. @param hooks those that have `onEvent`; not empty */
export function hookEvents(
  exchange: Exchange,
  services: PhaseServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
  source: EventSource,
): EventSource {
  let running: EventHooks | undefined;
  return {
    async next() {
      for (;;) {
        const batch = await source.next();
        if (batch === undefined) break;
        running ??= new EventHooks(exchange, services, program, hooks);
        const items = await running.run(batch);
        if (items.length > 0) return items;
      }
      running?.close();
      return undefined;
    },
    close() {
      running?.close();
      return source.close();
    },
  };
}

/**
 * @param message JSON text of a whole reply
 * @returns the same text when no hook changed anything
 * @throws HookRefusal when a hook failed whose failure denies the request, or put an error in the reply's place
 */
export async function hookWholeReply(
  exchange: Exchange,
  services: PhaseServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
  message: string,
): Promise<string> {
  const codec = hubEvents;
  const texts = codec.explode(message);
  if (texts === undefined) return message;
  const running = new EventHooks(exchange, services, program, hooks);
  try {
    const items = await running.run(
      texts.map((text): EventItem => {
        const value = codec.read(text);
        if (value === undefined) throw new Error("a reply was told in an event that is none");
        return madeEvent(text, value);
      }),
    );
    if (!running.isChanged) return message;
    const assembler = codec.assemble();
    for (const { type, value, data } of items) {
      if (type === "error") throw errorInPlace(codec.readError(500, Buffer.from(data)).message);
      if (value !== undefined) assembler.push(value);
    }
    const changed = assembler.message();
    if (changed === undefined) throw errorInPlace("A hook left nothing of the reply.");
    return changed;
  } finally {
    running.close();
  }
}

function errorInPlace(message: string): HookRefusal {
  return new HookRefusal(message, { status: 502, kind: "api_error", headers: { "x-should-retry": "false" } });
}
