/**
 * Counters from which a request takes what it may need before it is sent, and which are set right when it is known what it took. One contract for
 * one process and for many that share a server.
 */

import type { Awaitable } from "./routing-store.ts";

/** What a request needs of one counter. `key` names it, e.g. `key:<id>:rpm`. */
export type Demand = WindowDemand | SlotDemand | BudgetDemand;

/** Requests or tokens within a window that begins with its first hit. */
export interface WindowDemand {
  readonly kind: "window";
  readonly key: string;
  readonly amount: number;
  readonly limit: number;
  readonly windowMs: number;
}

/** One of so many at a time. */
export interface SlotDemand {
  readonly kind: "slot";
  readonly key: string;
  readonly limit: number;
}

/** Money of one period. */
export interface BudgetDemand {
  readonly kind: "budget";
  readonly key: string;
  /** Nano-dollars, whole. */
  readonly amount: number;
  readonly limit: number;
  /** Names the period, e.g. `2026-11-23T00:00Z`: with another one the counter begins anew. */
  readonly period: string;
  /** ms from now until it ends; undefined: never. */
  readonly endsInMs: number | undefined;
  /** What a counter that is not there begins with: what the ledger says was spent in the period. */
  readonly spent: number;
}

export interface CounterState {
  readonly key: string;
  readonly used: number;
  /** ms until a window or period is over; undefined where nothing is counted or nothing ever ends. */
  readonly resetsInMs: number | undefined;
}

export type Reservation =
  /** In the order of the demands, with what was just taken. */
  | { readonly isGranted: true; readonly states: readonly CounterState[] }
  /** Nothing was taken. `index` is that of the first demand that cannot be met. */
  | { readonly isGranted: false; readonly index: number; readonly state: CounterState };

export interface LimitStore {
  /**
   * All demands or none, at one moment for all processes. A window or a slot is refused when the amount does not fit any more; a budget when its
   * limit is reached already, or the amount does not fit into what is left.
   *
   * @param id unique; a second call with one that is held answers as the first did and takes nothing
   * @param leaseMs after which the reservation of a process that has vanished ends: its slots are free, windows and budgets keep what was taken
   */
  reserve(id: string, demands: readonly Demand[], leaseMs: number): Awaitable<Reservation>;
  /** Leases of requests that take longer, from now on. */
  renew(ids: readonly string[], leaseMs: number): Awaitable<void>;
  /**
   * Ends a reservation; only the first end counts, and an id that is not known is none.
   *
   * @param actual what it took, in the order of the demands, beyond the limit if so; undefined: what was reserved. A window or period that is over takes nothing
   */
  settle(id: string, actual: readonly (number | undefined)[]): Awaitable<void>;
  /** Ends a reservation as if it had never been. */
  release(id: string): Awaitable<void>;
  /** Books what nobody had reserved, e.g. an attempt that was recovered. Nothing, where the counter is not there or is of another period. */
  add(key: string, period: string, amount: number): Awaitable<void>;
  /** In the order of the keys; 0 for a counter that is not there. */
  read(keys: readonly string[]): Awaitable<readonly CounterState[]>;
  /** Forgets counters. */
  reset(keys: readonly string[]): Awaitable<void>;
  close(): Promise<void>;
}
