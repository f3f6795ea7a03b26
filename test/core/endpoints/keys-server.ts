/** A real server of the management endpoints over stores that tests look into. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Koa, { type Context, type Middleware } from "koa";
import Router from "koa-router";
import { onTestFinished } from "vitest";

import { addKeys } from "../../../core/endpoints/keys.ts";
import type { KeyEndpointServices } from "../../../core/endpoints/admin.ts";
import type { Admin } from "../../../core/endpoints/require-caller.ts";
import { createKeyRing } from "../../../core/keys/key-ring.ts";
import { createRedactor } from "../../../core/log/redact.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { KeyStore } from "../../../sdk/keys.ts";
import type { LedgerStore } from "../../../sdk/ledger.ts";
import type { LimitStore } from "../../../sdk/limits.ts";
import type { EngineName } from "./spend-server.ts";

/** 2026-11-23T12:00:00Z */
export const noon: number = Date.parse("2026-11-23T12:00:00Z");
export const master = "sk-master-0123456789";

export type Row = Readonly<Record<string, unknown>>;

export interface KeyAnswer {
  readonly status: number;
  readonly body: Row;
  readonly text: string;
  readonly headers: Headers;
}

export interface KeyServer {
  readonly url: string;
  readonly keys: KeyStore;
  readonly ledger: LedgerStore;
  readonly limits: LimitStore;
  /** What was logged, as JSON. */
  readonly log: readonly string[];
  /** @param as the key that asks; default: the master key */
  readonly post: (path: string, body: unknown, as?: string) => Promise<KeyAnswer>;
  readonly get: (path: string, as?: string) => Promise<KeyAnswer>;
  /** The secret and the id of a new key. */
  readonly make: (body: object, as?: string) => Promise<{ readonly secret: string; readonly id: string }>;
}

export interface KeyServerOptions {
  readonly guard?: Middleware;
  /** Whatever else the router answers. */
  readonly also?: (router: Router) => void;
  /** Instead of what the header `authorization` says. */
  readonly adminOf?: (ctx: Context) => Promise<Admin>;
  readonly services?: Partial<KeyEndpointServices>;
}

const letIn: Middleware = async (_ctx, next) => await next();

export async function startKeyServer(
  engine: EngineName,
  { guard = letIn, also, adminOf, services = {} }: KeyServerOptions = {},
): Promise<KeyServer> {
  const { ledger, keys, limits, close: closeStores } = openStores(engine);
  const log: string[] = [];
  const note = (fields: object): void => void log.push(JSON.stringify(fields));
  const ring = createKeyRing({ keys, now: () => 0 });
  const byHeader = async (ctx: Context): Promise<Admin> => {
    const secret = ctx.get("authorization").replace("Bearer ", "");
    if (secret === master) return { kind: "master" };
    const holder = await ring.find(secret);
    if (holder === undefined)
      throw new ProxyError("This is no key.", { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    return { kind: "key", holder };
  };
  const router = new Router();
  const all: KeyEndpointServices = {
    stores: { keys, ledger, limits },
    logger: { info: note, warn: note },
    redact: createRedactor([master]),
    wallClock: () => noon,
    modelGroups: () => ["opus", "haiku"],
    adminOf: adminOf ?? byHeader,
    ...services,
  };
  addKeys(router, all, guard);
  also?.(router);
  const app = new Koa();
  // Callers that leave are no news here.
  app.silent = true;
  app.use(router.routes());
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await closeStores();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, init: RequestInit): Promise<KeyAnswer> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text), text, headers: response.headers };
  };
  const post = (path: string, body: unknown, as: string = master): Promise<KeyAnswer> =>
    ask(path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${as}` },
      body: JSON.stringify(body),
    });
  return {
    url,
    keys,
    ledger,
    limits,
    log,
    post,
    get: (path, as = master) => ask(path, { headers: { authorization: `Bearer ${as}` } }),
    make: async (body, as) => {
      const made = await post("/key/generate", body, as);
      if (made.status !== 200) throw new Error(made.text);
      return { secret: String(made.body["key"]), id: String(made.body["token"]) };
    },
  };
}

interface Opened {
  readonly ledger: LedgerStore;
  readonly keys: KeyStore;
  readonly limits: LimitStore;
  readonly close: () => Promise<void>;
}

function openStores(engine: EngineName): Opened {
  if (engine === "memory") {
    const memory = openMemory({ now: () => 0, wallClock: () => noon });
    return { ledger: memory.ledger, keys: memory.keys, limits: memory.limits, close: () => memory.close() };
  }
  const folder = mkdtempSync(join(tmpdir(), "ccproxy-keys-"));
  const sqlite = openSqlite({ path: join(folder, "ccproxy.db"), wallClock: () => noon });
  const close = async (): Promise<void> => {
    await sqlite.close();
    rmSync(folder, { recursive: true });
  };
  return { ledger: sqlite.ledger, keys: sqlite.keys, limits: sqlite.limits, close };
}
