/** A reply of the hub that goes on elsewhere when it breaks, if it was nothing but text. Opt-in: `stream_resume`. */

import type { ReplySummary, Usage } from "../../sdk/dialect.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { HubWatch } from "../translation/hub-watch.ts";
import { headerValue } from "../upstream/headers.ts";
import { type EventItem, type EventSource, TranslatedEvent, readEvents, writeEvents } from "./event-source.ts";
import { Splice } from "./splice.ts";
import { ToldSoFar } from "./told-so-far.ts";

export interface ResumeOptions {
  /**
   * A reply to the same request, to be gone on from a text that the caller has already (see `withPrefill`).
   * @param prefix without white space at its end; empty where nothing was said yet: then any deployment will do
   * @returns undefined where nobody can go on; to fail is the same
   */
  next(prefix: string): Promise<EventSource | undefined>;
  /** Of the attempt: nothing is resumed for a caller that has left. */
  readonly signal: AbortSignal;
  /** Of the reply that may break. */
  readonly reported: { end(): ReplySummary } | undefined;
}

export interface Resumable {
  readonly events: EventSource;
  /** What both replies cost, and whether the last one came to its end. */
  readonly reported: { end(): ReplySummary };
}

/** With it, a stream of bytes of the hub is read as events; one of another dialect stays as it is. */
export function resumableReply({ ingress }: Pick<Exchange, "ingress">, reply: Reply, options: Omit<ResumeOptions, "reported">): Reply {
  const isHub = reply.events !== undefined || reply.format === "hub" || ingress.translation === undefined;
  if (!reply.isEventStream || !isHub || headerValue(reply.headers, "content-encoding") !== undefined) return reply;
  const watch = new HubWatch();
  const source = reply.events ?? readEvents(reply.body, watch);
  const { events, reported } = resumable(source, { ...options, reported: reply.events === undefined ? watch : reply.reported });
  return { ...reply, events, body: writeEvents(events), reported };
}

/** How a reply broke. */
type Failure = { readonly thrown: unknown } | { readonly told: readonly EventItem[] } | "no end";

/**
 * What the caller sees is one message. Where nobody can go on, or who goes on breaks off as well, the first failure is
 * told, as it was. What the second reply says is given on as it comes: if it says again what was said before, so does the
 * message, since nobody can know that it was not meant.
 */
export function resumable(source: EventSource, options: ResumeOptions): Resumable {
  const told = new ToldSoFar();
  const watch = new HubWatch();
  let current = source;
  let splice: Splice | undefined;
  let failure: Failure | undefined;
  let isBroken = false;
  let isOver = false;

  const broke = (how: Failure): void => {
    isBroken = true;
    failure ??= how;
  };

  /** Nothing where there is no more of the current reply. */
  async function read(): Promise<readonly EventItem[]> {
    try {
      const batch = await current.next();
      if (batch !== undefined) return batch;
      if (told.isComplete) isOver = true;
      else broke("no end");
    } catch (thrown) {
      broke({ thrown });
    }
    return [];
  }

  function spliced(item: EventItem): readonly EventItem[] {
    const { value } = item;
    if (value === undefined) return [item];
    if (splice !== undefined) watch.observe(value);
    const events = splice === undefined ? [value] : splice.push(value);
    for (const event of events) told.observe(event);
    return events.map((event) => (event === value ? item : new TranslatedEvent(event)));
  }

  async function goesOn(): Promise<boolean> {
    const { text } = told;
    if (splice !== undefined || text === undefined || options.signal.aborted) return false;
    await current.close();
    const prefix = text.trimEnd();
    const found = await options.next(prefix).catch(() => undefined);
    if (found === undefined) return false;
    current = found;
    // Closed while it was asked for.
    if (isOver) await found.close();
    splice = new Splice(told, text.slice(prefix.length));
    isBroken = false;
    return true;
  }

  async function fail(): Promise<readonly EventItem[] | undefined> {
    if (isOver) return undefined;
    isOver = true;
    await current.close();
    if (failure === undefined || failure === "no end") return undefined;
    if ("thrown" in failure) throw failure.thrown;
    return failure.told;
  }

  return {
    events: {
      async next() {
        while (!isOver) {
          if (isBroken && !(await goesOn())) return fail();
          const batch = isOver ? [] : await read();
          const at = batch.findIndex(({ type }) => type === "error");
          if (at !== -1) broke({ told: batch.slice(at) });
          const given = (at === -1 ? batch : batch.slice(0, at)).flatMap(spliced);
          if (given.length > 0) return given;
        }
        return undefined;
      },
      async close() {
        isOver = true;
        await current.close();
      },
    },
    reported: {
      end() {
        const first = options.reported?.end();
        if (splice === undefined) return first ?? nothingReported;
        const last = watch.end();
        return { ...last, usage: sum(first?.usage, last.usage) };
      },
    },
  };
}

const nothingReported: ReplySummary = { complete: false, error: undefined, usage: undefined };

function sum(first: Usage | undefined, last: Usage | undefined): Usage | undefined {
  if (first === undefined || last === undefined) return first ?? last;
  return {
    inputTokens: add(first.inputTokens, last.inputTokens),
    outputTokens: add(first.outputTokens, last.outputTokens),
    cacheReadTokens: add(first.cacheReadTokens, last.cacheReadTokens),
    cacheWriteTokens: add(first.cacheWriteTokens, last.cacheWriteTokens),
  };
}

function add(first: number | undefined, last: number | undefined): number | undefined {
  return first === undefined || last === undefined ? (first ?? last) : first + last;
}
