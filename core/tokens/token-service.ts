/** Counts the tokens of requests: in a worker, once per content block, and not at all where sizes already answer. */

import { hash } from "node:crypto";
import type { RequestBody } from "../../sdk/body.ts";
import type { TokenCounter, TokenCountMode } from "../../sdk/rule.ts";
import { createCountMemo } from "./count-memo.ts";
import { createCountWorker, type WorkItem } from "./count-worker-client.ts";
import { unitBounds } from "./bounds.ts";
import type { CountPlan, Unit } from "./count-plan.ts";
import { planMessagesText } from "./plan-messages-text.ts";
import { planRequest } from "./plan-request.ts";
import type { TextCount } from "./text-count.ts";

export interface TokenServiceOptions {
  /** How many content blocks are remembered, over all requests; about 200 bytes each. */
  readonly memoEntries?: number;
  /** How long the worker may idle before it is ended and its memory given back, ms. */
  readonly idleMs?: number;
}

interface TokenStats {
  /** Worker threads started so far. */
  readonly workerStarts: number;
  /** Whether a worker is alive now. */
  readonly workerRunning: boolean;
  /** Content blocks the worker counted. */
  readonly unitsCounted: number;
  /** Bytes of these blocks. */
  readonly bytesCounted: number;
  /** Content blocks whose count was remembered. */
  readonly unitsRemembered: number;
  /** Content blocks in memory. */
  readonly memoEntries: number;
}

export interface TokenService {
  /** A counter for one request. It reads nothing until it is asked. */
  counterFor(body: RequestBody): TokenCounter;
  stats(): TokenStats;
  /** Ends the worker. Counts under way are rejected, and so are later ones that would need it. */
  close(): Promise<void>;
}

const DEFAULT_MEMO_ENTRIES = 20_000;
const DEFAULT_IDLE_MS = 60_000;

export function createTokenService(options: TokenServiceOptions = {}): TokenService {
  const memo = createCountMemo(options.memoEntries ?? DEFAULT_MEMO_ENTRIES);
  const worker = createCountWorker({ idleMs: options.idleMs ?? DEFAULT_IDLE_MS });
  /** Blocks being counted right now, so that two requests with the same new block ask for it once. */
  const underWay = new Map<string, Promise<TextCount>>();
  let unitsCounted = 0;
  let bytesCounted = 0;
  let unitsRemembered = 0;

  /** Starts counting what is neither remembered nor under way. */
  const startMissing = ({ body, plan, keys }: Counting): void => {
    const missing = new Map<string, WorkItem>();
    for (const [index, unit] of plan.units.entries()) {
      const key = keys()[index] ?? "";
      if (memo.has(key) || underWay.has(key) || missing.has(key)) unitsRemembered++;
      else missing.set(key, { kind: unit.kind, bytes: body.slice(unit.span) });
    }
    if (missing.size === 0) return;
    const items = [...missing.values()];
    unitsCounted += items.length;
    for (const { bytes } of items) bytesCounted += bytes.length;
    const batch = worker.count(items);
    for (const [index, key] of [...missing.keys()].entries()) {
      const one = batch.then((counts) => {
        const count = counts[index] ?? NOTHING;
        memo.set(key, count);
        return count;
      });
      underWay.set(key, one);
      const forget = (): void => void underWay.delete(key);
      one.then(forget, forget);
    }
  };

  const count = async (counting: Counting): Promise<number> => {
    startMissing(counting);
    // Looked up before waiting: what is remembered now may have made room for other blocks by then.
    const known = await Promise.all(counting.keys().map(async (key) => memo.get(key) ?? underWay.get(key) ?? NOTHING));
    const { encoding, fixedTokens } = counting.plan;
    return Math.round(known.reduce((sum, one) => sum + one[encoding], fixedTokens));
  };

  /** Undefined where neither sizes nor remembered counts settle it. */
  const settle = ({ plan, keys }: Counting, threshold: number): boolean | undefined => {
    const answer = (lower: number, upper: number): boolean | undefined =>
      Math.round(upper) <= threshold ? false : Math.round(lower) > threshold ? true : undefined;
    const bounds = plan.units.map(unitBounds);
    let lower = bounds.reduce((sum, bound) => sum + bound.lower, plan.fixedTokens);
    let upper = bounds.reduce((sum, bound) => sum + bound.upper, plan.fixedTokens);
    const bySize = answer(lower, upper);
    if (bySize !== undefined) return bySize;
    for (const [index, key] of keys().entries()) {
      const known = memo.get(key)?.[plan.encoding];
      if (known === undefined) continue;
      lower += known - (bounds[index]?.lower ?? 0);
      upper += known - (bounds[index]?.upper ?? 0);
    }
    return answer(lower, upper);
  };

  return {
    counterFor(body) {
      const begun = new Map<TokenCountMode, Counting>();
      const begin = (mode: TokenCountMode): Counting => {
        const counting = begun.get(mode) ?? beginCounting(body, mode);
        begun.set(mode, counting);
        return counting;
      };
      return {
        count: async (mode = "all") => count(begin(mode)),
        exceeds(threshold, mode = "all") {
          const counting = begin(mode);
          return settle(counting, threshold) ?? count(counting).then((tokens) => tokens > threshold);
        },
      };
    },
    stats: () => ({
      workerStarts: worker.starts(),
      workerRunning: worker.isRunning(),
      unitsCounted,
      bytesCounted,
      unitsRemembered,
      memoEntries: memo.size(),
    }),
    close: () => worker.close(),
  };
}

const NOTHING: TextCount = { plain: 0, older: 0, newer: 0 };

/** One count of one request. */
interface Counting {
  readonly body: RequestBody;
  readonly plan: CountPlan;
  /** One key for each unit, made when first asked for: hashing a megabyte takes about 1 ms. */
  readonly keys: () => readonly string[];
}

function beginCounting(body: RequestBody, mode: TokenCountMode): Counting {
  const plan = mode === "all" ? planRequest(body) : planMessagesText(body);
  let keys: readonly string[] | undefined;
  return { body, plan, keys: () => (keys ??= plan.units.map((unit) => keyOf(body, unit))) };
}

/** Equal for equal content of equal kind, whichever request it stands in. */
function keyOf(body: RequestBody, unit: Unit): string {
  return unit.kind + hash("sha256", body.slice(unit.span), "base64");
}
