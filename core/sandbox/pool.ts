/** Keeps two hosts: one that works and one that stands by with everything loaded, and puts another in a lost one's place. */

import type { Logger } from "../../sdk/log.ts";
import { createHost, type Host, type HostLoss } from "./host.ts";
import type { HostProgram } from "./host-process.ts";
import { type Loaded, sendLoad } from "./load.ts";
import { watchMemory } from "./memory.ts";
import type { Program } from "./program.ts";
import type { UnitManifest } from "./protocol.ts";
import { SandboxUnavailable } from "./sandbox.ts";

export interface PoolOptions {
  readonly logger: Logger;
  readonly wallClock: () => number;
  readonly program: HostProgram;
  /** A host above this is replaced when it has a moment. */
  readonly recycleBytes: number;
  /** How long a host may take until it takes work. */
  readonly readyMs: number;
}

export interface Pool {
  readonly active: Host | undefined;
  readonly spare: Host | undefined;
  readonly kills: number;
  readonly crashes: number;
  /** Calls back with a host that has every program: at once when there is one, with undefined when none can be had. */
  withHost(take: (host: Host | undefined) => void): void;
  /** @throws SandboxUnavailable when no host can be started */
  load(program: Program): Promise<readonly UnitManifest[]>;
  unload(program: Program): void;
  close(): Promise<void>;
}

interface Slot {
  readonly host: Host;
  /** It takes work. */
  isReady: boolean;
  readyAt: number;
  readonly loads: Map<number, Promise<Loaded>>;
}

const firstBackOffMs = 100;
const maxBackOffMs = 10_000;
/** After so many starts in vain nobody waits for the next. */
const maxFailures = 3;
/** A call does not wait longer for a host than this. */
const maxWaitMs = 3000;
/** A host that dies sooner without having done anything would do so again. */
const provenMs = 1000;

export function createPool(options: PoolOptions): Pool {
  const { logger } = options;
  const programs = new Map<number, Program>();
  const slots = new Set<Slot>();
  let active: Slot | undefined;
  let spare: Slot | undefined;
  let starting: { readonly slot: Slot; readonly timer: NodeJS.Timeout } | undefined;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let lastFailure = "none was started";
  let kills = 0;
  let crashes = 0;
  let isClosed = false;
  let waiting: ((host: Host | undefined) => void)[] = [];
  let waitTimer: NodeJS.Timeout | undefined;
  let lookers: (() => void)[] = [];
  let loading: Promise<unknown> = Promise.resolve();

  /** Wakes those who wait for the state to change. */
  const changed = (): void => {
    const woken = lookers;
    lookers = [];
    for (const look of woken) look();
    if (active === undefined && !isHopeless()) return;
    const served = waiting;
    waiting = [];
    clearTimeout(waitTimer);
    waitTimer = undefined;
    for (const take of served) take(active?.host);
  };
  const nextChange = (): Promise<void> => new Promise((resolve) => void lookers.push(resolve));
  const isHopeless = (): boolean => isClosed || (starting === undefined && (retry === undefined || failures >= maxFailures));

  const start = (): void => {
    retry = undefined;
    if (isClosed || starting !== undefined || programs.size === 0 || (active !== undefined && spare !== undefined)) return;
    const onReady = (): void => {
      if (slot.isReady) return slot.host.distrust("it was ready twice");
      settleStart(slot);
      slot.isReady = true;
      slot.readyAt = performance.now();
      for (const program of programs.values()) void loadInto(slot, program);
      if (active === undefined) active = slot;
      else spare = slot;
      changed();
    };
    const onLost = (by: HostLoss["by"], why: string): void => lose(slot, by, why);
    const host = createHost({ program: options.program, logger, wallClock: options.wallClock, onReady, onLost });
    const slot: Slot = { host, isReady: false, readyAt: 0, loads: new Map() };
    slots.add(slot);
    const timer = setTimeout(() => host.distrust(`it was not ready within ${options.readyMs} ms`), options.readyMs);
    timer.unref();
    starting = { slot, timer };
  };
  const settleStart = (slot: Slot): void => {
    if (starting?.slot !== slot) return;
    clearTimeout(starting.timer);
    starting = undefined;
  };
  /** Two hosts as long as there is anything to run: nobody waits for the second. */
  const startSoon = (): void => void setImmediate(() => retry === undefined && start());

  const lose = (slot: Slot, by: HostLoss["by"], why: string): void => {
    slots.delete(slot);
    const wasActive = active === slot;
    const hadNoChance = !slot.isReady || (slot.host.asked <= slot.loads.size && performance.now() - slot.readyAt < provenMs);
    settleStart(slot);
    if (wasActive) {
      active = spare;
      spare = undefined;
    } else if (spare === slot) spare = undefined;
    if (by === "killed") kills++;
    if (by === "crashed" || by === "ended") crashes++;
    if (by !== "dismissed") {
      logger.warn(
        { pid: slot.host.pid, why, isReplaced: active !== undefined },
        `a hook host ${by === "killed" ? "was killed" : "was lost"}`,
      );
    }
    if (by !== "killed" && by !== "dismissed" && hadNoChance) {
      failures++;
      lastFailure = why;
      const backOffMs = Math.min(firstBackOffMs * 2 ** (failures - 1), maxBackOffMs);
      clearTimeout(retry);
      // Not unref'd, like what waits for it: a program that does nothing else would end without a word.
      retry = setTimeout(start, backOffMs);
    } else {
      failures = 0;
      if (active === undefined) start();
      else startSoon();
    }
    // Only once the clients have been told, who may want what is there now.
    setImmediate(changed);
  };

  const loadInto = (slot: Slot, program: Program): Promise<Loaded> => {
    let load = slot.loads.get(program.version);
    if (load === undefined) {
      load = sendLoad(slot.host, program, options.program.runtime);
      slot.loads.set(program.version, load);
    }
    return load;
  };
  const promote = (slot: Slot): void => {
    if (slot !== spare) return;
    spare = active;
    active = slot;
  };

  /** The spare where there is one or will be soon, so that loading delays no call. */
  const slotForLoading = async (): Promise<Slot> => {
    for (;;) {
      if (isClosed) throw new SandboxUnavailable("The sandbox is closed.");
      if (spare !== undefined) return spare;
      if (starting === undefined && retry === undefined) start();
      if (active !== undefined && (starting === undefined || failures > 0)) return active;
      if (active === undefined && failures >= maxFailures)
        throw new SandboxUnavailable(`No hook host can be started, so rules and hooks cannot run: ${lastFailure}.`);
      await nextChange();
    }
  };
  const load = async (program: Program): Promise<readonly UnitManifest[]> => {
    programs.set(program.version, program);
    // Each try that fails has put one unit aside or met a host that was lost for another reason.
    for (let tries = 3 + 2 * program.units.length; tries > 0; tries--) {
      const slot = await slotForLoading();
      const loaded = await loadInto(slot, program);
      if (loaded.type !== "loaded" || !slot.host.isOpen) continue;
      promote(slot);
      for (const other of slots) if (other.isReady && other.host.isOpen) void loadInto(other, program);
      startSoon();
      return loaded.manifests;
    }
    throw new SandboxUnavailable("Hook hosts are lost as soon as they are started, so rules and hooks cannot run.");
  };

  const unload = (program: Program): void => {
    programs.delete(program.version);
    for (const { host, loads } of slots) {
      if (loads.delete(program.version) && host.isOpen) host.tell({ type: "unload", version: program.version });
      if (programs.size === 0) host.dismiss();
    }
    if (programs.size > 0) return;
    active = undefined;
    spare = undefined;
  };

  const stopWatching = watchMemory({
    logger,
    recycleBytes: options.recycleBytes,
    hosts: () => [...slots].map(({ host }) => host),
    recycle(host) {
      // Replaced by one that is ready; until there is one it goes on.
      if (spare === undefined || retry !== undefined) return false;
      if (active?.host === host) promote(spare);
      if (spare.host !== host) return false;
      spare = undefined;
      host.dismiss();
      startSoon();
      return true;
    },
  });

  return {
    get active() {
      return active?.host;
    },
    get spare() {
      return spare?.host;
    },
    get kills() {
      return kills;
    },
    get crashes() {
      return crashes;
    },
    withHost(take) {
      if (active !== undefined && active.host.isOpen) return take(active.host);
      if (active === undefined && isHopeless()) return take(undefined);
      waiting.push(take);
      waitTimer ??= setTimeout(() => {
        const left = waiting;
        waiting = [];
        waitTimer = undefined;
        for (const each of left) each(undefined);
      }, maxWaitMs);
    },
    load(program) {
      const result = loading.then(() => load(program));
      loading = result.catch(() => unload(program));
      return result;
    },
    unload,
    async close() {
      isClosed = true;
      stopWatching();
      clearTimeout(retry);
      const gone = [...slots].map(({ host }) => {
        host.close();
        return host.exited;
      });
      changed();
      await Promise.all(gone);
    },
  };
}
