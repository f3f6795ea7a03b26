/**
 * The connections to one origin. Each serves one request at a time, the one used last first: it is the least likely to
 * have been closed at the other end, and the others get to close.
 */

import { Client, type Dispatcher } from "undici";

import type { Connect } from "./connector.ts";
import { maxHeaderBytes } from "./describe-failure.ts";

export interface PoolFigures {
  /** Open. */
  readonly connections: number;
  /** With a request under way. */
  readonly inFlight: number;
  /** Requests whose connection is being made. */
  readonly waiting: number;
}

/** A connection for one request. */
export interface Lease {
  dispatch(options: Omit<Dispatcher.DispatchOptions, "origin">, handler: Dispatcher.DispatchHandler): void;
  /** Whether the connection has served another request before this one; known once the request has begun. */
  readonly isReused: boolean;
  /** The request has failed or was given up: the connection is closed, or no longer made. */
  end(): void;
}

export interface Terms {
  readonly connectMs: number;
  /** On a connection of its own that no request was sent on before. */
  readonly isFresh: boolean;
}

/**
 * For hosts that do not say how long they keep an idle connection. Small servers keep one for five seconds (Node's and uvicorn's default);
 * load balancers on the internet, behind which TLS makes a new connection dear, for a minute and longer.
 */
const idleMs = { http: 4000, https: 30_000 };
/** Taken off what a host says. */
const marginMs = 2000;
const longestIdleMs = 120_000;

export class OriginPool {
  readonly #origin: string;
  readonly #connect: Connect;
  readonly #http2: boolean;
  readonly #onEmpty: () => void;
  readonly #all = new Set<Connection>();
  #idle: Connection[] = [];

  /** @param onEmpty called when the last connection is gone */
  constructor(origin: string, options: { readonly connect: Connect; readonly http2: boolean; readonly onEmpty: () => void }) {
    this.#origin = origin;
    this.#connect = options.connect;
    this.#http2 = options.http2;
    this.#onEmpty = options.onEmpty;
  }

  /** A connection that is free, or a new one. */
  take({ connectMs, isFresh }: Terms): Lease {
    const connection = (isFresh ? undefined : this.#idle.pop()) ?? this.#open();
    connection.take(connectMs);
    return connection;
  }

  #open(): Connection {
    const connection = new Connection(this.#origin, this.#connect, this.#http2, {
      free: (freed) => void this.#idle.push(freed),
      gone: (lost) => this.#forget(lost),
    });
    this.#all.add(connection);
    return connection;
  }

  #forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    this.#idle = this.#idle.filter((each) => each !== connection);
    if (this.#all.size === 0) this.#onEmpty();
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  get figures(): PoolFigures {
    let connections = 0;
    let inFlight = 0;
    for (const { isConnected, isBusy } of this.#all) {
      if (isConnected) connections += 1;
      if (isConnected && isBusy) inFlight += 1;
    }
    return { connections, inFlight, waiting: this.#all.size - connections };
  }

  /** Fails what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.destroy()));
  }
}

interface Owner {
  free(connection: Connection): void;
  gone(connection: Connection): void;
}

class Connection implements Lease {
  readonly client: Client;
  readonly #owner: Owner;
  isConnected = false;
  isBusy = false;
  #isGone = false;
  #connectMs = 0;
  /** Since it was connected, the one under way included; it may connect anew for a request that has not begun. */
  #requests = 0;
  #stopConnecting: (() => void) | undefined;

  constructor(origin: string, connect: Connect, http2: boolean, owner: Owner) {
    this.#owner = owner;
    this.client = new Client(origin, {
      allowH2: http2,
      keepAliveTimeout: origin.startsWith("https:") ? idleMs.https : idleMs.http,
      keepAliveTimeoutThreshold: marginMs,
      keepAliveMaxTimeout: longestIdleMs,
      maxHeaderSize: maxHeaderBytes,
      connect: (_, connected) => {
        this.#stopConnecting = connect(this.#connectMs, (result) => {
          this.#stopConnecting = undefined;
          if ("socket" in result) connected(null, result.socket);
          else connected(result.error, null);
        });
      },
    });
    this.client.on("connect", () => {
      this.isConnected = true;
      this.#requests = 1;
    });
    this.client.on("disconnect", () => {
      this.isConnected = false;
      if (!this.isBusy) this.end();
    });
    // It would try again, for ever, after some errors.
    this.client.on("connectionError", () => this.end());
    this.client.on("drain", () => {
      if (this.#isGone) return;
      this.isBusy = false;
      if (this.isConnected) this.#owner.free(this);
      else this.end();
    });
  }

  dispatch(options: Omit<Dispatcher.DispatchOptions, "origin">, handler: Dispatcher.DispatchHandler): void {
    this.client.dispatch(options, handler);
  }

  take(connectMs: number): void {
    this.isBusy = true;
    this.#connectMs = connectMs;
    this.#requests += 1;
  }

  get isReused(): boolean {
    return this.#requests > 1;
  }

  end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this);
    this.#stopConnecting?.();
    // The client may be in the middle of telling why. Left alone it would connect anew for a request that was aborted.
    queueMicrotask(() => void this.client.destroy());
  }
}
