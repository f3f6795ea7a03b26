/** Answers a request with the reply to one that asked the same: earlier, or at the same time. */

import type { Middleware } from "koa";

import type { CachedReply } from "../../sdk/cache.ts";
import type { ReplySummary } from "../../sdk/dialect.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { type CopyEnd, ReplyCopy } from "../cache/copy.ts";
import type { CacheFigures } from "../cache/figures.ts";
import type { Flight, Flights } from "../cache/flights.ts";
import { giveAgain } from "../cache/give-again.ts";
import { noteCacheOutcome } from "../cache/outcome.ts";
import { type PatientStore, patient } from "../cache/patient-store.ts";
import { type CachePlan, planCaching } from "../cache/plan.ts";
import { type Asked, type ReplyHead, judgeWhole, mayBeStored } from "../cache/storable.ts";
import { restore, store } from "../cache/stored-reply.ts";
import { teeReply } from "../cache/tee.ts";
import { joinFor } from "../cache/join.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { Services } from "../services.ts";
import type { OpenedStores } from "../stores/opened.ts";

/** What one of several that ask the same has found. */
export type Landed = { readonly type: "hit" | "coalesced"; readonly reply: CachedReply } | { readonly type: "each alone" };

export interface CacheServices extends Pick<Services, "registry" | "logger" | "wallClock" | "now"> {
  readonly stores: Pick<OpenedStores, "cache">;
  readonly flights: Flights<Landed>;
  readonly cacheFigures: CacheFigures;
  /** Id of the virtual key the caller presented; absent: there are none. */
  readonly keyIdOf?: (exchange: Exchange) => string | undefined;
  /** What the answer of this exchange has cost, as far as it is known when its last byte is in; absent: not known. */
  readonly costOf?: (exchange: Exchange, usage: ReplySummary["usage"]) => NanoDollars | null;
}

export function cacheStage(services: CacheServices): Middleware {
  return async function cacheStage(ctx, next) {
    const { exchange } = ctx.state;
    exchange.reply = await answerFromCache(exchange, services, async () => {
      await next();
      if (exchange.reply === undefined) throw new Error("no stage made a reply");
      return exchange.reply;
    });
  };
}

/** @throws what `call` throws, and the reason of the exchange's signal; never for the cache's sake */
async function answerFromCache(exchange: Exchange, services: CacheServices, call: () => Promise<Reply>): Promise<Reply> {
  const { cache } = services.stores;
  const config = exchange.snapshot.config.stores.cache;
  if (cache === undefined || config === undefined) return call();
  letGoOfCacheControl(exchange);
  const plan = planCaching(exchange, config, services.keyIdOf?.(exchange));
  if (plan === undefined) return call();
  return new CachedAnswer(exchange, services, plan, patient(cache, services), call).answer();
}

/** It was meant for us. */
function letGoOfCacheControl(exchange: Exchange): void {
  const { headers } = exchange;
  if (headers.get("cache-control") === undefined) return;
  exchange.headers = {
    endToEnd: headers.endToEnd.filter(([name]) => name !== "cache-control"),
    get: (name) => (name === "cache-control" ? undefined : headers.get(name)),
  };
}

type HeldFlight = Flight<Landed> | undefined;

class CachedAnswer {
  readonly #exchange: Exchange;
  readonly #services: CacheServices;
  readonly #plan: CachePlan;
  readonly #store: PatientStore;
  readonly #call: () => Promise<Reply>;

  constructor(exchange: Exchange, services: CacheServices, plan: CachePlan, patientStore: PatientStore, call: () => Promise<Reply>) {
    this.#exchange = exchange;
    this.#services = services;
    this.#plan = plan;
    this.#store = patientStore;
    this.#call = call;
  }

  async answer(): Promise<Reply> {
    const { isFresh, isNotKept } = this.#plan;
    if (isFresh) return this.#ask(undefined);
    // What nobody else is to get, nobody else waits for.
    if (isNotKept) return (await this.#lookUp())?.again ?? this.#ask(undefined);
    const flight = await this.#joinOthers();
    if ("again" in flight) return flight.again;
    return this.#beFirst(flight.flight);
  }

  async #joinOthers(): Promise<{ readonly again: Reply } | { readonly flight: HeldFlight }> {
    const { key, maxAgeMs } = this.#plan;
    const { flights } = this.#services;
    // How old a reply may be is said for a reply that is looked up, and so is part of what is asked.
    const joined = await joinFor(flights, maxAgeMs === undefined ? key : `${key} ${maxAgeMs}`, this.#exchange.signal);
    if (joined === "waited long enough") return { flight: undefined };
    if (joined.type === "first") return { flight: joined.flight };
    const landed = joined.value;
    const again = landed.type === "each alone" ? undefined : this.#give(landed.type, landed.reply);
    return again === undefined ? { flight: undefined } : { again };
  }

  async #beFirst(flight: HeldFlight): Promise<Reply> {
    try {
      const found = flight === undefined ? undefined : await this.#lookUp();
      if (found !== undefined) {
        flight?.land({ type: "hit", reply: found.reply });
        return found.again;
      }
      return await this.#ask(flight);
    } catch (error) {
      flight?.land(undefined);
      throw error;
    }
  }

  async #lookUp(): Promise<{ readonly reply: CachedReply; readonly again: Reply } | undefined> {
    const { key, maxAgeMs } = this.#plan;
    const reply = await this.#store.get(key);
    if (reply === undefined) return undefined;
    if (maxAgeMs !== undefined && this.#services.wallClock() - reply.storedAt > maxAgeMs) return undefined;
    const again = this.#give("hit", reply);
    return again === undefined ? undefined : { reply, again };
  }

  #give(type: "hit" | "coalesced", reply: CachedReply): Reply | undefined {
    const { key } = this.#plan;
    const restored = restore(reply);
    const again = restored === undefined ? undefined : giveAgain(this.#exchange, this.#plan, restored, this.#services.registry);
    if (restored === undefined || again === undefined) return undefined;
    const { model, deploymentId, usage, cost } = restored.head;
    noteCacheOutcome(this.#exchange, { key, type, source: { storedAt: reply.storedAt, model, deploymentId, usage, savedCost: cost } });
    this.#services.cacheFigures.given(type, reply.body.length);
    this.#exchange.trace.add("cache", type, { key, storedAt: reply.storedAt });
    return again;
  }

  /** Asks upstream; what comes back is copied while it goes by. */
  async #ask(flight: HeldFlight): Promise<Reply> {
    const exchange = this.#exchange;
    const { key, form, isNotKept, maxBytes } = this.#plan;
    noteCacheOutcome(exchange, { key, type: "miss" });
    this.#services.cacheFigures.missed();
    exchange.trace.add("cache", "miss", { key });
    const { operation, ingress } = exchange;
    const asked: Asked = { operation, ingress, hub: this.#services.registry.hub, form };
    const reply = await this.#call();
    if (isNotKept || !mayBeStored(reply, asked)) {
      flight?.land(undefined);
      return reply;
    }
    const { status, headers, isEventStream, format } = reply;
    const copy = new ReplyCopy(maxBytes, (end) => this.#keep(end, { status, headers, isEventStream, format }, asked, flight));
    // Whatever becomes of it on its way, nobody waits for it longer than its own caller.
    exchange.onSettled(() => copy.drop());
    return teeReply(reply, copy);
  }

  #keep(end: CopyEnd, head: ReplyHead, asked: Asked, flight: HeldFlight): void {
    const { cacheFigures, wallClock, costOf } = this.#services;
    if (end === "cut off") {
      flight?.land(undefined);
      return;
    }
    if (end === "too long") {
      cacheFigures.tooLong();
      // The others would be too long, one after the other.
      flight?.land({ type: "each alone" });
      return;
    }
    const exchange = this.#exchange;
    const { key, ttlMs, streamOptions } = this.#plan;
    const judged = judgeWhole(head, end.body, asked);
    if (judged === undefined) {
      flight?.land(undefined);
      return;
    }
    const { usage } = judged;
    const { target } = exchange;
    const described = {
      ...head,
      streamOptions,
      model: target?.model ?? "",
      deploymentId: target?.deployment.deploymentId ?? "",
      usage,
      cost: costOf?.(exchange, usage) ?? null,
    };
    const reply = store(described, end, wallClock());
    flight?.land({ type: "coalesced", reply });
    void this.#put(key, reply, ttlMs);
  }

  async #put(key: string, reply: CachedReply, ttlMs: number): Promise<void> {
    const isStored = await this.#store.put(key, reply, ttlMs);
    if (isStored) this.#services.cacheFigures.stored(reply.body.length);
  }
}
