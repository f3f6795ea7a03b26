/** Puts together what user code may do beyond looking: what it keeps, what it asks for, what it logs. */

import type { Logger } from "../../sdk/log.ts";
import type { Exchange } from "../exchange.ts";
import type { Capabilities } from "../phases/phase-services.ts";
import type { LoadedUnit } from "../phases/user-program.ts";
import type { Writes } from "../sandbox/protocol.ts";
import { CapabilityError } from "./capability-error.ts";
import { createFetch } from "./fetch.ts";
import { type KvStore, openKv } from "./kv.ts";
import type { NestedCall } from "./nested-call.ts";
import { createOperationRunner, type OperationServices } from "./operations.ts";
import { createStateStore, type ExchangeStores } from "./state-store.ts";
import { createUserLog } from "./user-log.ts";

export interface CapabilitiesInit {
  /** Folder of the configuration, where the database of `context.kv` is. */
  readonly directory: string;
  readonly logger: Logger;
  readonly callModel: NestedCall;
  /** Takes every known secret out of a text. */
  redact(text: string): string;
  /** Of this proxy, once it listens. */
  ownPort(): number | undefined;
}

export interface CreatedCapabilities extends Capabilities {
  /** Waits for what is being written. */
  close(): Promise<void>;
}

export function createCapabilities(init: CapabilitiesInit): CreatedCapabilities {
  const { logger } = init;
  const states = createStateStore();
  const userLog = createUserLog(logger);
  const fetching = createFetch({ ownPort: () => init.ownPort() });
  const storesOf = new WeakMap<Exchange, ExchangeStores>();
  let kv: Promise<KvStore> | undefined;
  let commits = 0;

  function openedKv(): Promise<KvStore> {
    kv ??= openKv(init.directory).catch((error: unknown) => {
      kv = undefined;
      throw error;
    });
    return kv;
  }

  const services: Omit<OperationServices, "callModel"> = {
    fetch: fetching.fetch,
    kv: openedKv,
    logger,
    redact: (text) => init.redact(text),
  };

  function exchangeStores(exchange: Exchange): ExchangeStores {
    let stores = storesOf.get(exchange);
    if (stores === undefined) storesOf.set(exchange, (stores = states.exchange(exchange.knownFacts?.session)));
    return stores;
  }

  async function commitKv({ id }: Exchange, { source, index }: LoadedUnit, writes: NonNullable<Writes["kv"]>): Promise<void> {
    const { file } = source;
    try {
      // The guest refuses this by itself; it is not to be believed.
      if (!source.options.grants.some(({ type }) => type === "kv")) throw new CapabilityError('context.kv needs the grant "kv"');
      commits += 1;
      const store = await openedKv();
      await store.commit(file, writes, `${id} ${index} ${commits}`);
    } catch (error) {
      if (error instanceof CapabilityError) userLog.write(file, id, [{ level: "warn", text: error.message }]);
      else logger.warn({ requestId: id, file, error }, "what user code wanted to keep was not written");
    }
  }

  return {
    stores: (exchange, { source }) => exchangeStores(exchange).get(source.file),
    operations(exchange, units) {
      const asking = units.map(({ index, source }) => [index, { file: source.file, grants: source.options.grants }] as const);
      const callModel: OperationServices["callModel"] = (request, signal) => init.callModel(request, exchange, signal);
      return createOperationRunner(exchange, new Map(asking), { ...services, callModel });
    },
    commit(exchange, unit, writes) {
      const { file } = unit.source;
      if (writes.logs !== undefined) userLog.write(file, exchange.id, writes.logs);
      if (writes.state !== undefined || writes.locals !== undefined) {
        const refused = exchangeStores(exchange).commit(file, writes);
        // With the lines of the file itself: a stream may come to this with every event.
        if (refused.length > 0)
          userLog.write(
            file,
            exchange.id,
            refused.map((text) => ({ level: "warn", text })),
          );
      }
      return writes.kv === undefined || writes.kv.length === 0 ? undefined : commitKv(exchange, unit, writes.kv);
    },
    async close() {
      userLog.flush();
      const open = await kv?.catch(() => undefined);
      await Promise.all([fetching.close(), open?.close()]);
    },
  };
}
