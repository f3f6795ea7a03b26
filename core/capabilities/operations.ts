/** Performs what user code asks for in the middle of a run: checks the grant once more on this side, keeps to quotas, answers in data. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Logger } from "../../sdk/log.ts";
import type { Grant } from "../config/types.ts";
import type { Exchange } from "../exchange.ts";
import type { Operation, OperationResult } from "../sandbox/protocol.ts";
import type { OperationRunner } from "../sandbox/sandbox.ts";
import { jsonBytes } from "./bounded-values.ts";
import { readCallModel } from "./call-model.ts";
import { CapabilityError } from "./capability-error.ts";
import type { GuardedFetch } from "./fetch.ts";
import type { KvStore } from "./kv.ts";
import type { NestedRequest } from "./nested-call.ts";

/** A unit of the program, as far as its operations go. */
export interface OperationUnit {
  /** As it is called in the configuration and in the log; what it keeps is kept under this name. */
  readonly file: string;
  readonly grants: readonly Grant[];
}

export interface OperationServices {
  readonly fetch: GuardedFetch;
  /** For the exchange, as its caller. */
  readonly callModel: (request: NestedRequest, signal: AbortSignal) => Promise<Json>;
  /** Opens the store when it is first asked for. */
  readonly kv: () => Promise<KvStore>;
  readonly logger: Logger;
  /** Takes every known secret out of a text. */
  redact(text: string): string;
}

export interface OperationLimits {
  /** Per run of one unit. */
  readonly operations: number;
  /** Asked and answered, per run of one unit. */
  readonly bytes: number;
}

const defaultLimits: OperationLimits = { operations: 32, bytes: 8 * 1024 * 1024 };

const maxMessage = 500;

/**
 * One runner per run: it counts what each unit has asked for.
 *
 * @param units those of the run, by their index in the program
 */
export function createOperationRunner(
  exchange: Pick<Exchange, "id" | "now" | "trace">,
  units: ReadonlyMap<number, OperationUnit>,
  services: OperationServices,
  limits: OperationLimits = defaultLimits,
): OperationRunner {
  const used = new Map<number, { operations: number; bytes: number }>();

  function usedBy(unit: number): { operations: number; bytes: number } {
    let sum = used.get(unit);
    if (sum === undefined) used.set(unit, (sum = { operations: 0, bytes: 0 }));
    return sum;
  }

  /** What is refused does not count: others that are under way already were within the limit. */
  function admit(unit: number, bytes: number): void {
    const sum = usedBy(unit);
    if (sum.operations >= limits.operations)
      throw new CapabilityError(`at most ${limits.operations} operations per call; this is one more`);
    if (sum.bytes + bytes > limits.bytes) throw tooManyBytes("not performed");
    sum.operations += 1;
    sum.bytes += bytes;
  }

  function admitAnswer(unit: number, bytes: number): void {
    const sum = usedBy(unit);
    if (sum.bytes + bytes > limits.bytes) throw tooManyBytes("performed, but its answer is dropped");
    sum.bytes += bytes;
  }

  function tooManyBytes(outcome: string): CapabilityError {
    return new CapabilityError(`${outcome}: the operations of this call move more than ${limits.bytes} bytes`);
  }

  async function perform(unit: number, operation: Operation, key: string, signal: AbortSignal): Promise<Json> {
    const asking = units.get(unit);
    if (asking === undefined) throw new CapabilityError("nothing of this file runs for this request");
    signal.throwIfAborted();
    admit(unit, jsonBytes({ ...operation }));
    const value = await performGranted(asking, operation, key, signal);
    admitAnswer(unit, jsonBytes(value));
    return value;
  }

  async function performGranted(asking: OperationUnit, operation: Operation, key: string, signal: AbortSignal): Promise<Json> {
    if (operation.op === "fetch") return fetchGranted(asking, operation, key, signal);
    if (operation.op === "callModel") return services.callModel(readCallModel(operation.request, asking.grants), signal);
    if (!asking.grants.some(({ type }) => type === "kv")) throw new CapabilityError('context.kv needs the grant "kv"');
    const kv = await services.kv();
    return operation.op === "kv.get" ? kv.get(asking.file, operation.key) : kv.lines(asking.file, operation.key, operation.last);
  }

  async function fetchGranted(
    { grants }: OperationUnit,
    operation: Extract<Operation, { op: "fetch" }>,
    key: string,
    signal: AbortSignal,
  ): Promise<Json> {
    const hosts = grants.flatMap((grant) => (grant.type === "fetch" ? [grant.host] : []));
    return { ...(await services.fetch(operation, { hosts, key, signal })) };
  }

  return {
    async run(unit, operation, key, signal): Promise<OperationResult> {
      const { seq, op } = operation;
      const startedAt = exchange.now();
      const result = await perform(unit, operation, key, signal).then(
        (value) => ({ seq, ok: true as const, value }),
        (error: unknown) => {
          if (!signal.aborted && !isForUserCode(error)) {
            services.logger.error(
              { requestId: exchange.id, file: units.get(unit)?.file, operation: op, error },
              "an operation of user code failed",
            );
          }
          return { seq, ok: false as const, message: describe(error, signal, services) };
        },
      );
      exchange.trace.add("hooks", result.ok ? op : `${op} failed`, {
        file: units.get(unit)?.file,
        ...describeTarget(operation),
        ms: Math.round((exchange.now() - startedAt) * 10) / 10,
        ...(result.ok ? {} : { error: result.message }),
      });
      return result;
    },
  };
}

/** Our own words only: errors of libraries may quote anything. */
function isForUserCode(error: unknown): error is CapabilityError | ProxyError {
  return error instanceof CapabilityError || error instanceof ProxyError;
}

function describe(error: unknown, signal: AbortSignal, services: OperationServices): string {
  if (signal.aborted) return "given up: the caller has left or the time is up";
  return isForUserCode(error) ? services.redact(error.message).slice(0, maxMessage) : "failed; the log of ccproxy says why";
}

/** For the trace; never the whole URL, whose query may hold a key. */
function describeTarget(operation: Operation): { readonly host?: string; readonly key?: string } {
  if (operation.op === "fetch") return URL.canParse(operation.url) ? { host: new URL(operation.url).host } : {};
  return operation.op === "callModel" ? {} : { key: operation.key.slice(0, 100) };
}
