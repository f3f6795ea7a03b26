import { once } from "node:events";
import type { AddressInfo } from "node:net";

import Koa from "koa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { adminOf, callerOf, createRequireKey } from "../../../core/endpoints/require-caller.ts";
import { createKeyRing } from "../../../core/keys/key-ring.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { createSecret, idOf } from "../../../core/keys/secret.ts";
import type { Snapshot } from "../../../core/snapshot.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { KeyStore } from "../../../sdk/keys.ts";
import { ask } from "../../helpers/client.ts";
import { makeConfig } from "../../helpers/config.ts";

const masterKey = "sk-master-key-0123456789";
const controlToken = "control-token-0123456789";
const localToken = "local-token-0123456789";
const secret = createSecret();

let store: KeyStore;
let server: ReturnType<Koa["listen"]>;
let isAsked: boolean;
let url: string;

beforeEach(async () => {
  store = openMemory({ now: () => 0, wallClock: () => 0 }).keys;
  await store.create("key", decodeKeyGenerate({ key: secret, key_alias: "one" }, 0, undefined).key);
  isAsked = true;
  const services = {
    snapshot: () => ({ config: makeConfig(isAsked ? { masterKey } : {}) }) as Snapshot,
    localToken: () => localToken,
    controlToken,
    keyRing: createKeyRing({ keys: store, now: () => 0 }),
    wallClock: () => 0,
  };
  const app = new Koa();
  app.use(async (ctx, next) => {
    ctx.state.run = { localToken: ctx.get("x-test-local-token") || undefined, project: undefined };
    try {
      await next();
    } catch (error) {
      ctx.status = error instanceof ProxyError ? error.status : 500;
      ctx.body = { message: error instanceof Error ? error.message : "" };
    }
  });
  const requireKey = createRequireKey(services);
  app.use(async (ctx) => {
    if (ctx.path === "/admin") {
      const admin = await adminOf(ctx, services);
      ctx.body = { kind: admin.kind, alias: admin.kind === "key" ? admin.holder.key.alias : undefined };
      return;
    }
    if (ctx.path === "/nobody-looked") callerOf(ctx);
    await requireKey(ctx, async () => {
      const { kind, holder } = callerOf(ctx);
      ctx.body = { kind, alias: holder?.key.alias };
    });
  });
  server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

async function get(path: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const answer = await ask(url, undefined, { method: "GET", path, headers });
  return answer.status === 200 ? answer.json() : answer.status;
}

const key = { "x-api-key": secret };

describe("who asks about keys", () => {
  test.each([
    ["the master key", { authorization: `Bearer ${masterKey}` }],
    ["the local token", { "x-test-local-token": localToken }],
    ["the control token", { "x-ccproxy-token": controlToken }],
    ["the control token beside a key", { "x-ccproxy-token": controlToken, ...key }],
  ])("runs the proxy with %s", async (_what, headers) => {
    expect(await get("/admin", headers)).toEqual({ kind: "master" });
  });

  test("is the holder of a key, whatever that may be used for", async () => {
    await store.update("key", idOf(secret), (record) => ({ ...record, isBlocked: true, allowedRoutes: ["/v1/messages"] }));
    expect(await get("/admin", key)).toEqual({ kind: "key", alias: "one" });
  });

  test("is anybody where nothing is asked for", async () => {
    isAsked = false;
    expect(await get("/admin", key)).toEqual({ kind: "master" });
  });

  test.each([
    ["nothing", {}],
    ["another key", { "x-api-key": createSecret() }],
    ["another control token, whatever is beside it", { "x-ccproxy-token": "wrong", "x-api-key": masterKey }],
  ])("is nobody with %s", async (_what, headers) => {
    expect(await get("/admin", headers)).toBe(401);
    expect(await get("/v1/models", headers)).toBe(401);
  });
});

describe("what a key may ask for, too", () => {
  test("is open to it, and to whoever runs the proxy", async () => {
    expect(await get("/v1/models", key)).toEqual({ kind: "key", alias: "one" });
    expect(await get("/v1/models", { "x-api-key": masterKey })).toEqual({ kind: "master" });
    expect(await get("/v1/models", { "x-ccproxy-token": controlToken })).toEqual({ kind: "local" });
  });

  test("is closed to one that may not use the path", async () => {
    expect(await get("/v1/other", key)).toBe(403);
    await store.update("key", idOf(secret), (record) => ({ ...record, isBlocked: true }));
    expect(await get("/v1/models", key)).toBe(401);
  });

  test("is nobody's before somebody has looked", async () => {
    expect(await get("/nobody-looked", key)).toBe(500);
  });
});
