/** Connects to addresses that were checked, and to nothing else: what a name resolves to is decided here, once per connection. */

import { lookup as lookupCallback } from "node:dns";
import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { promisify } from "node:util";

import { buildConnector } from "undici";

import { describeRefused, isLoopback } from "./addresses.ts";
import { CapabilityError } from "./capability-error.ts";

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Says why an address must not be connected to; undefined when it may be. */
export type AddressPolicy = (address: string) => string | undefined;

export interface GuardedConnectOptions {
  readonly policy: AddressPolicy;
  readonly timeoutMs: number;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** Certificates to trust besides the system's, PEM. */
  readonly ca?: string;
}

export const publicOnly: AddressPolicy = describeRefused;

export const loopbackOnly: AddressPolicy = (address) => (isLoopback(address) ? undefined : "not this machine");

const resolveBySystem: Resolve = (hostname) => promisify(lookupCallback)(hostname, { all: true });

/** A connector for undici. A refused address surfaces as a CapabilityError from the request. */
export function createGuardedConnect(options: GuardedConnectOptions): buildConnector.connector {
  const { policy, resolve = resolveBySystem } = options;
  const connector = buildConnector({
    timeout: options.timeoutMs,
    allowH2: false,
    lookup: guardedLookup(resolve, policy),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  return (target, callback) => {
    // An address needs no lookup, so the one below would never be asked.
    const refusal = isIP(target.hostname) === 0 ? undefined : check(target.hostname, [target.hostname], policy);
    if (refusal !== undefined) {
      process.nextTick(callback, refusal, null);
      return;
    }
    connector(target, (...result) => {
      const [error, socket] = result;
      const reached = error === null ? socket.remoteAddress : undefined;
      const late = reached === undefined ? undefined : check(target.hostname, [reached], policy);
      if (late === undefined) {
        callback(...result);
        return;
      }
      socket?.destroy();
      callback(late, null);
    });
  };
}

function guardedLookup(resolve: Resolve, policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async (): Promise<void> => {
      const found = await resolveChecked(hostname, resolve, policy);
      if (found instanceof Error) callback(found, "");
      else if (options.all === true) callback(null, [...found]);
      else callback(null, found[0].address, found[0].family);
    };
    void answer();
  };
}

type Addresses = readonly [LookupAddress, ...LookupAddress[]];

/** Never rejects. */
async function resolveChecked(hostname: string, resolve: Resolve, policy: AddressPolicy): Promise<Addresses | Error> {
  try {
    const [first, ...others] = await resolve(hostname);
    if (first === undefined) return new CapabilityError(`fetch of ${hostname}: the name has no address`);
    const addresses: Addresses = [first, ...others];
    return (
      check(
        hostname,
        addresses.map(({ address }) => address),
        policy,
      ) ?? addresses
    );
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** One bad address spoils the name: which of them is connected to is chance. */
function check(hostname: string, addresses: readonly string[], policy: AddressPolicy): CapabilityError | undefined {
  for (const address of addresses) {
    const why = policy(address);
    if (why !== undefined) return new CapabilityError(`fetch of ${hostname} is refused: its address ${address} is ${why}`);
  }
  return undefined;
}
