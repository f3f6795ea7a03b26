/** Streams on their way through `postCall`: shown after they have left or, for a hook with `buffer`, held until it has seen them. */

import { events as hubEvents } from "../../sdk/hub/events.ts";
import type { Exchange } from "../exchange.ts";
import { type EventItem, type EventSource, madeEvent } from "../stream/event-source.ts";
import { type AfterwardsServices, runAfterwards } from "./afterwards.ts";
import { maxHeldBytes, observePostCall, runPostCall } from "./post-call.ts";
import type { RequestHookServices } from "./request-hooks.ts";
import { takeFailure } from "./run-phase.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

export type PostCallServices = RequestHookServices & AfterwardsServices;

/** @param hooks those that have `postCall`; not empty */
export function hookStream(
  exchange: Exchange,
  services: PostCallServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
  source: EventSource,
): EventSource {
  if (hooks.some(({ manifest }) => manifest.buffer)) return new HeldStream(exchange, services, program, hooks, source);
  const assembler = hubEvents.assemble();
  let length = 0;
  return {
    close: () => source.close(),
    async next() {
      const batch = await source.next();
      for (const { value, data } of batch ?? []) {
        length += data.length;
        if (value !== undefined && length <= maxHeldBytes) assembler.push(value);
      }
      if (batch !== undefined) return batch;
      if (length > maxHeldBytes) skipTooLong(exchange, services, { hooks, phase: "postCall", observesOnly: true });
      const message = assembler.complete ? assembler.message() : undefined;
      if (message !== undefined) {
        runAfterwards(exchange, services, program, (signal) => observePostCall(exchange, services, program, hooks, message, signal));
      }
      return undefined;
    },
  };
}

/** Nothing leaves before the hooks have had their say; pings go on meanwhile. */
class HeldStream implements EventSource {
  readonly #exchange: Exchange;
  readonly #services: PostCallServices;
  readonly #program: UserProgram;
  readonly #hooks: readonly LoadedUnit[];
  readonly #source: EventSource;
  /** What may leave. */
  #ready: (readonly EventItem[])[] | undefined;
  /** Too long to be held: it goes by as it is. */
  #goesBy = false;

  constructor(exchange: Exchange, services: PostCallServices, program: UserProgram, hooks: readonly LoadedUnit[], source: EventSource) {
    this.#exchange = exchange;
    this.#services = services;
    this.#program = program;
    this.#hooks = hooks;
    this.#source = source;
  }

  async next(): Promise<readonly EventItem[] | undefined> {
    this.#ready ??= await this.#hold();
    return this.#ready.shift() ?? (this.#goesBy ? this.#source.next() : undefined);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async #hold(): Promise<(readonly EventItem[])[]> {
    const held: (readonly EventItem[])[] = [];
    const assembler = hubEvents.assemble();
    let length = 0;
    for (let batch = await this.#source.next(); batch !== undefined; batch = await this.#source.next()) {
      for (const { value } of batch) if (value !== undefined) assembler.push(value);
      const bytes = batch.map((item) => this.#bytesOf(item));
      for (const { raw } of bytes) length += raw?.length ?? 0;
      held.push(bytes);
      if (length <= maxHeldBytes) continue;
      skipTooLong(this.#exchange, this.#services, { hooks: this.#hooks, phase: "postCall" });
      this.#goesBy = true;
      return held;
    }
    const message = assembler.complete ? assembler.message() : undefined;
    // What was cut off is shown to nobody: the hook that would have judged it has not seen the whole. The error is told.
    if (message === undefined) return [held.flat().filter(({ type }) => type === "error")].filter((batch) => batch.length > 0);
    return this.#judge(held, message);
  }

  /** What was parsed of it would take several times the room. */
  #bytesOf({ raw, type, data }: EventItem): EventItem {
    return { raw: raw ?? hubEvents.encode(data), type, data: "", value: undefined };
  }

  async #judge(held: (readonly EventItem[])[], message: string): Promise<(readonly EventItem[])[]> {
    const codec = hubEvents;
    const result = await runPostCall(this.#exchange, this.#services, this.#program, this.#hooks, message);
    if (result.reply !== undefined) {
      const answer: EventItem[] = [];
      for await (const raw of result.reply.body) answer.push({ raw, type: "", data: "", value: undefined });
      return [answer];
    }
    if (result.message === message) return held;
    const texts = codec.explode(result.message) ?? [];
    return [texts.flatMap((text) => madeEvent(text, codec.read(text) ?? {}))];
  }
}

export interface TooLong {
  readonly hooks: readonly LoadedUnit[];
  readonly phase: "onEvent" | "postCall";
  /** It has left already. */
  readonly observesOnly?: boolean;
}

/** @throws HookRefusal when one of them would rather deny the reply than let it go unseen */
export function skipTooLong(exchange: Exchange, services: RequestHookServices, { hooks, phase, observesOnly = false }: TooLong): void {
  for (const unit of hooks) {
    const shown = `cannot be shown a reply of more than ${maxHeldBytes / 1024 / 1024} MB`;
    const failure = { unit, phase, reason: `${unitName(unit)} ${shown}`, shown, error: undefined };
    takeFailure(exchange, services, failure, { us: 0 }, observesOnly);
  }
}
