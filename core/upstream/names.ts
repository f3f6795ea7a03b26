/**
 * Looks host names up, once for all who ask at the same time. Each look-up holds one of the process's four worker threads,
 * which files and compression need too, for as long as a name server stays silent. What was found lately is used
 * again, and for some minutes when no name server answers; that a name does not exist is remembered for a second.
 */

import { type LookupAddress, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { promisify } from "node:util";

/** @param family 4 or 6; 0: both */
export type Resolve = (hostname: string, family: 0 | 4 | 6) => Promise<readonly LookupAddress[]>;

export interface Names {
  /** For sockets. */
  readonly lookup: LookupFunction;
  /** Connecting to what was found failed: it is looked up anew before it is used again. */
  distrust(hostname: string): void;
}

interface Known {
  addresses: readonly LookupAddress[];
  /** When they were found; monotonic ms. */
  foundAt: number;
  failure: { readonly error: Error; readonly at: number } | undefined;
  pending: Promise<readonly LookupAddress[]> | undefined;
}

/** Found so lately that it need not be looked up at all: a burst of connections. */
const freshMs = 5000;
/** Found so lately that it is good enough when nobody can be asked. */
const staleMs = 300_000;
const failureMs = 1000;
/** How long a name server may take when there is something good enough. */
const patienceMs = 500;
const mostNames = 256;

const resolveBySystem: Resolve = (hostname, family) => promisify(systemLookup)(hostname, { all: true, family, order: "verbatim" });

/** What is asked for, or the other when that takes longer. */
async function within<T>(ms: number, asked: Promise<T>, other: T): Promise<T> {
  const late = Promise.withResolvers<T>();
  const timer = setTimeout(() => late.resolve(other), ms);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function createNames(resolve: Resolve = resolveBySystem, now: () => number = () => performance.now()): Names {
  const names = new Map<string, Known>();

  function knownAs(key: string): Known {
    const found = names.get(key);
    if (found !== undefined) return found;
    const [oldest] = names.keys();
    if (names.size >= mostNames && oldest !== undefined) names.delete(oldest);
    const known: Known = { addresses: [], foundAt: -Infinity, failure: undefined, pending: undefined };
    names.set(key, known);
    return known;
  }

  async function ask(known: Known, hostname: string, family: 0 | 4 | 6): Promise<readonly LookupAddress[]> {
    try {
      const addresses = await resolve(hostname, family);
      if (addresses.length === 0) throw new Error(`${hostname} has no address`);
      known.addresses = addresses;
      known.foundAt = now();
      known.failure = undefined;
      return addresses;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      known.failure = { error, at: now() };
      return lastResort(known, error);
    } finally {
      known.pending = undefined;
    }
  }

  function lastResort(known: Known, error: Error): readonly LookupAddress[] {
    if (known.addresses.length > 0 && now() - known.foundAt < staleMs) return known.addresses;
    throw error;
  }

  async function find(hostname: string, family: 0 | 4 | 6): Promise<readonly LookupAddress[]> {
    const known = knownAs(`${family} ${hostname}`);
    if (known.pending !== undefined) return known.pending;
    const { failure } = known;
    if (failure !== undefined && now() - failure.at < failureMs) return lastResort(known, failure.error);
    if (failure === undefined && now() - known.foundAt < freshMs) return known.addresses;
    known.pending = ask(known, hostname, family);
    return known.addresses.length > 0 && now() - known.foundAt < staleMs
      ? within(patienceMs, known.pending, known.addresses)
      : known.pending;
  }

  return {
    lookup(hostname, options, callback) {
      const family = options.family === 4 || options.family === "IPv4" ? 4 : options.family === 6 || options.family === "IPv6" ? 6 : 0;
      const answer = async (): Promise<void> => {
        const found = await find(hostname, family).catch((error: Error) => error);
        if (found instanceof Error) callback(found, []);
        else if (options.all === true) callback(null, [...found]);
        else callback(null, found[0]?.address ?? "", found[0]?.family);
      };
      void answer();
    },
    distrust(hostname) {
      for (const family of [0, 4, 6]) {
        const known = names.get(`${family} ${hostname}`);
        // Kept for when nobody can be asked.
        if (known !== undefined && now() - known.foundAt < freshMs) known.foundAt = now() - freshMs;
      }
    },
  };
}
