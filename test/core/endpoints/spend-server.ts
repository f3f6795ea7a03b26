/** A real server of the spend endpoints over a ledger that the tests fill. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Koa, { type Middleware } from "koa";
import Router from "koa-router";
import { onTestFinished } from "vitest";

import { addSpend, addSpendControl } from "../../../core/endpoints/spend.ts";
import type { ScopeOf } from "../../../core/endpoints/spend-reader.ts";
import { createRedactor } from "../../../core/log/redact.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { KeyStore, VirtualKey } from "../../../sdk/keys.ts";
import type { AttemptStart, ExchangeEnd, ExchangeStart, LedgerStore, LedgerTokens } from "../../../sdk/ledger.ts";

/** 2026-11-23T12:00:00Z */
export const noon: number = Date.parse("2026-11-23T12:00:00Z");
export const hourMs = 3_600_000;
export const dayMs: number = 24 * hourMs;
export const secret = "sk-configured-0123456789";

export type Row = Readonly<Record<string, unknown>>;

export interface SpendAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface SpendServer {
  readonly url: string;
  readonly ledger: LedgerStore;
  readonly keys: KeyStore;
  /** JSON of a GET. */
  readonly get: <Body = readonly Row[]>(path: string) => Promise<SpendAnswer<Body>>;
  readonly close: () => Promise<void>;
}

export type EngineName = "memory" | "sqlite";

export interface SpendServerOptions {
  readonly scopeOf?: ScopeOf;
  readonly guard?: Middleware;
  /** Whatever else the router answers. */
  readonly also?: (router: Router) => void;
}

const letIn: Middleware = async (_ctx, next) => await next();

export async function startSpendServer(
  engine: EngineName,
  { scopeOf, guard = letIn, also }: SpendServerOptions = {},
): Promise<SpendServer> {
  const { ledger, keys, close: closeStores } = openStores(engine);
  const router = new Router();
  const services = { stores: { ledger, keys }, redact: createRedactor([secret]), wallClock: () => noon };
  addSpend(router, services, guard, scopeOf);
  addSpendControl(router, services, guard, scopeOf);
  also?.(router);
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      ctx.status = error.status;
      ctx.body = { error: { message: error.message } };
    }
  });
  app.use(router.routes());
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await closeStores();
  };
  onTestFinished(close);
  return {
    url,
    ledger,
    keys,
    close,
    get: async (path: string) => {
      const response = await fetch(url + path);
      return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
    },
  };
}

function openStores(engine: EngineName): { readonly ledger: LedgerStore; readonly keys: KeyStore; readonly close: () => Promise<void> } {
  if (engine === "memory") {
    const memory = openMemory({ now: () => 0, wallClock: () => noon });
    return { ...memory, close: () => memory.close() };
  }
  const folder = mkdtempSync(join(tmpdir(), "ccproxy-spend-"));
  const sqlite = openSqlite({ path: join(folder, "ccproxy.db"), wallClock: () => noon });
  const close = async (): Promise<void> => {
    await sqlite.close();
    rmSync(folder, { recursive: true });
  };
  return { ledger: sqlite.ledger, keys: sqlite.keys, close };
}

type Start = Omit<ExchangeStart, "id" | "instance">;
type End = Omit<ExchangeEnd, "id">;

export interface Spent {
  readonly id: string;
  readonly start?: Partial<Start>;
  /** Null: it is still open. */
  readonly end?: Partial<End> | null;
  /** Of those that are there: one, unless it says otherwise. */
  readonly attempts?: readonly Partial<AttemptStart>[];
}

const tokens: LedgerTokens = {
  input: 10,
  output: 5,
  cacheRead: 100,
  cacheWrite5m: 20,
  cacheWrite1h: 3,
  reasoning: 2,
  serverTools: 0,
};

/** One request of an hour ago: 0.25 USD where 1 USD would have been paid for the model asked for. */
export async function spend(ledger: LedgerStore, { id, start, end = {}, attempts = [{}] }: Spent): Promise<void> {
  const startedAt = start?.startedAt ?? noon - hourMs;
  const instance = "i";
  const usual: Start = {
    startedAt,
    operation: "generate",
    caller: { kind: "local" },
    label: "default",
    modelAsked: "opus",
    tags: [],
  };
  const ended: End = {
    endedAt: startedAt + 2000,
    outcome: "completed",
    status: 200,
    modelServed: "claude-haiku-5-5",
    provider: "anthropic",
    deploymentId: "d1",
    isCacheHit: false,
    firstByteMs: 500,
    ms: 2000,
    tokens,
    cost: 250_000_000,
    costAsAsked: 1_000_000_000,
  };
  const target = {
    deploymentId: "d1",
    group: "small",
    provider: "anthropic",
    model: "claude-haiku-5-5",
    apiBase: "https://api.anthropic.com",
  };
  await ledger.write([
    { type: "exchange", row: { ...usual, ...start, id, instance } },
    ...attempts.map((attempt, index) => {
      const row = { exchangeId: id, number: index + 1, instance, startedAt, ...target, reason: "first", estimate: 1, ...attempt };
      return { type: "attempt", row } as const;
    }),
    ...(end === null ? [] : [{ type: "end", row: { ...ended, ...end, id } } as const]),
  ]);
}

export function virtualKey(id: string, rest: Partial<VirtualKey> = {}): VirtualKey {
  return {
    id,
    name: "sk-...abcd",
    models: [],
    metadata: {},
    tags: [],
    isBlocked: false,
    createdAt: noon,
    updatedAt: noon,
    aliases: {},
    allowedRoutes: [],
    allowedAddresses: [],
    ...rest,
  };
}
