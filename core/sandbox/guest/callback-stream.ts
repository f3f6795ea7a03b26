/** LiteLLM's two hooks on streams: one that is given the stream and yields another, one that sees the text so far with each piece. */

import type { Context } from "../../../sdk/context.ts";
import { anonymousCaller } from "./callback-arguments.ts";
import { describeValue, InvalidResult } from "./errors.ts";
import { type EventHandler, type Method, readMember } from "./unit.ts";

interface StreamMethods {
  readonly iterate: Method | undefined;
  readonly perChunk: Method | undefined;
}

/** Events behind these are not expected: the generator is told of the end. */
const lastTypes: ReadonlySet<unknown> = new Set(["message_stop", "error"]);

/** State is kept per stream: the generator stands where it waits for the next event. */
export function openCallbackStream({ iterate, perChunk }: StreamMethods, context: Context): EventHandler {
  const data = { model: context.facts.model, stream: true, litellm_call_id: context.requestId, metadata: {} };
  const generator = iterate === undefined ? undefined : createPump((source) => iterate(anonymousCaller(), source, data));
  const chunks = perChunk === undefined ? undefined : chunkHandler(perChunk);
  return async (event) => {
    const passed = generator === undefined ? [event] : await generator(event);
    if (chunks === undefined) return passed;
    const replaced: unknown[] = [];
    for (const one of passed) replaced.push(await chunks(one));
    return replaced;
  };
}

/** Runs a generator over events that are handed in one by one. @returns hands one in, gives what was yielded until the next is wanted */
function createPump(open: (source: AsyncIterable<object>) => unknown): (event: object) => Promise<readonly unknown[]> {
  const queue: object[] = [];
  let yielded: unknown[] = [];
  let isClosed = false;
  let hasEnded = false;
  let isRunning = false;
  let failure: { readonly thrown: unknown } | undefined;
  let give: ((result: IteratorResult<object>) => void) | undefined;
  let onQuiet: (() => void) | undefined;

  const source: AsyncIterableIterator<object> = {
    [Symbol.asyncIterator]: () => source,
    next() {
      const event = queue.shift();
      if (event !== undefined) return Promise.resolve({ done: false, value: event });
      if (isClosed) return Promise.resolve({ done: true, value: undefined });
      onQuiet?.();
      return new Promise((resolve) => (give = resolve));
    },
    return: () => Promise.resolve({ done: true, value: undefined }),
  };
  const run = async (): Promise<void> => {
    try {
      const generator = await open(source);
      if (typeof readMember(generator, Symbol.asyncIterator) !== "function" && typeof readMember(generator, Symbol.iterator) !== "function")
        throw new InvalidResult(
          `async_post_call_streaming_iterator_hook returned ${describeValue(generator)}; wanted an async generator: async *async_post_call_streaming_iterator_hook(…)`,
        );
      for await (const event of generator as AsyncIterable<unknown>) yielded.push(event);
    } catch (thrown) {
      failure = { thrown };
    }
    hasEnded = true;
    onQuiet?.();
  };

  return async (event) => {
    if (failure !== undefined) throw failure.thrown;
    if (hasEnded) return [];
    isClosed = lastTypes.has(readMember(event, "type"));
    const quiet = new Promise<void>((resolve) => (onQuiet = resolve));
    if (give === undefined) queue.push(event);
    else {
      give({ done: false, value: event });
      give = undefined;
    }
    if (!isRunning) {
      isRunning = true;
      void run();
    }
    await quiet;
    onQuiet = undefined;
    // Assigned by `run`, which the compiler does not see.
    const failed = failure as { readonly thrown: unknown } | undefined;
    if (failed !== undefined) throw failed.thrown;
    const events = yielded;
    yielded = [];
    return events;
  };
}

/** Text deltas only; a text that is returned takes the place of the piece, an event the place of the event. */
function chunkHandler(method: Method): (event: unknown) => Promise<unknown> {
  let soFar = "";
  return async (event) => {
    const delta = readMember(event, "delta");
    const text = readMember(delta, "text");
    if (typeof text !== "string" || typeof delta !== "object" || delta === null) return event;
    soFar += text;
    const returned = await method(anonymousCaller(), soFar);
    if (returned === undefined || returned === null) return event;
    if (typeof returned !== "string") return returned;
    Reflect.set(delta, "text", returned);
    return event;
  };
}
