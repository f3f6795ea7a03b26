import { beforeEach, describe, expect, test } from "vitest";

import type { Caller } from "../../../core/exchange.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { createKeyRing } from "../../../core/keys/key-ring.ts";
import { createSecret, idOf } from "../../../core/keys/secret.ts";
import { type KeyPolicy, type Presented, authenticateKeys, identify } from "../../../core/stages/auth.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import type { KeyStore } from "../../../sdk/keys.ts";
import { incoming } from "../../helpers/incoming.ts";

const masterKey = "sk-master-key-0123456789";
const localToken = "local-token-0123456789";
const login = "sk-ant-oat01-callers-own-login";
const ownKey = "sk-proj-of-another-vendor";
const secret = createSecret();
const other = createSecret();
const none = { localToken: undefined };
const start = Date.parse("2026-11-23T10:00:00Z");

let store: KeyStore;
/** Ids that the store was asked for. */
let asked: string[];
/** How often it was asked whether anything has changed. */
let looks: number;
let isAway: boolean;
let policy: KeyPolicy;

beforeEach(async () => {
  store = openMemory({ now: () => 0, wallClock: () => start }).keys;
  asked = [];
  looks = 0;
  isAway = false;
  for (const [key, body] of [
    [secret, { key_alias: "one" }],
    [other, { key_alias: "other" }],
  ] as const)
    await store.create("key", decodeKeyGenerate({ key, ...body }, start, undefined).key);
  const keyRing = createKeyRing({
    now: () => 0,
    keys: {
      version() {
        if (isAway) throw new Error("away");
        looks += 1;
        return store.version();
      },
      get(kind, id) {
        asked.push(id);
        return store.get(kind, id);
      },
    },
  });
  policy = { masterKey, localToken: undefined, keyRing, asked: { path: "/v1/messages", address: "127.0.0.1", now: start } };
});

/** With nothing to wait for. */
function caller(headers: readonly (readonly [string, string])[], more: Partial<KeyPolicy> = {}, presented: Presented = none): Caller {
  const found = authenticateKeys(incoming(headers), presented, { ...policy, ...more });
  if (found instanceof Promise) throw new Error("there was something to wait for");
  return found;
}

describe("a virtual key", () => {
  test.each([
    ["a bearer token", "authorization", `Bearer ${secret}`],
    ["a bearer token in lower case", "Authorization", `bearer  ${secret}`],
    ["x-api-key", "x-api-key", secret],
    ["x-goog-api-key", "x-goog-api-key", secret],
    ["api-key", "api-key", secret],
    ["x-litellm-api-key", "X-LiteLLM-Api-Key", secret],
    ["x-litellm-api-key with a scheme", "x-litellm-api-key", `Bearer ${secret}`],
  ])("opens as %s, and is no credential of the caller", (_form, name, value) => {
    expect(caller([[name, value]])).toEqual({
      kind: "key",
      credentials: [],
      holder: { key: expect.objectContaining({ id: idOf(secret) }) },
    });
  });

  test("lets what else there is travel on", () => {
    const headers = [
      ["authorization", `Bearer ${login}`],
      ["x-goog-api-key", "AIza-own"],
    ] as const;
    expect(caller([...headers, ["x-api-key", secret]])).toMatchObject({ kind: "key", credentials: headers });
    expect(caller([...headers, ["x-litellm-api-key", secret]])).toMatchObject({ kind: "key", credentials: headers });
  });

  test("costs one look at the store, in however many headers it is", () => {
    caller([
      ["authorization", `Bearer ${secret}`],
      ["x-api-key", `${secret}, ${secret}`],
    ]);
    expect([looks, asked]).toEqual([1, [idOf(secret)]]);
  });

  test("beside the master key or the local token is not who calls, and travels neither", () => {
    const both = [
      ["authorization", `Bearer ${secret}`],
      ["x-api-key", masterKey],
      ["api-key", ownKey],
    ] as const;
    expect(caller(both)).toEqual({ kind: "master", credentials: [["api-key", ownKey]] });
    expect(caller([["authorization", `Bearer ${secret}`]], { localToken }, { localToken })).toEqual({
      kind: "local",
      credentials: [],
    });
  });

  test("beside another one travels no more than that", () => {
    const found = caller([
      ["authorization", `Bearer ${other}`],
      ["x-api-key", `${secret}, ${other}`],
      ["api-key", ownKey],
      ["x-litellm-api-key", secret],
    ]);
    expect(found).toMatchObject({ kind: "key", credentials: [["api-key", ownKey]], holder: { key: { alias: "one" } } });
  });

  test("that nobody can look up just now does not travel, as little as more than anybody sends", () => {
    isAway = true;
    expect(
      caller([
        ["x-api-key", masterKey],
        ["authorization", `Bearer ${other}`],
      ]),
    ).toEqual({ kind: "master", credentials: [] });
    isAway = false;
    const many = Array.from({ length: 9 }, (_, index) => `sk-${index}`).join(",");
    expect(
      caller([
        ["x-api-key", masterKey],
        ["api-key", many],
      ]),
    ).toEqual({ kind: "master", credentials: [] });
    expect(asked).toEqual([]);
  });

  test("exists only where there is a master key", () => {
    expect(caller([["x-api-key", secret]], { masterKey: undefined })).toEqual({ kind: "anonymous", credentials: [["x-api-key", secret]] });
    const refused = expect.objectContaining({ status: 401, message: expect.not.stringContaining("virtual key") });
    expect(() => caller([["x-api-key", secret]], { masterKey: undefined, localToken })).toThrow(refused);
    expect(asked).toEqual([]);
  });

  test("is not sought among the credentials of the hub's vendor, nor where the header for it names another", () => {
    const unknown = expect.objectContaining({ status: 401, type: "token_not_found_in_db" });
    const nothing = expect.objectContaining({ status: 401, type: undefined });
    expect(() => caller([["authorization", `Bearer ${login}`]])).toThrow(nothing);
    expect(() => caller([["x-api-key", "sk-ant-api03-own"]])).toThrow(nothing);
    expect(() => caller([["x-api-key", "no-key"]])).toThrow(nothing);
    expect(asked).toEqual([]);
    caller([
      ["authorization", `Bearer ${login}`],
      ["x-api-key", secret],
    ]);
    expect(asked).toEqual([idOf(secret)]);
    const wrong = [
      ["x-litellm-api-key", "sk-wrong"],
      ["x-api-key", other],
    ] as const;
    expect(() => caller(wrong)).toThrow(unknown);
    expect(asked).toEqual([idOf(secret), idOf("sk-wrong")]);
  });

  test("is found behind what is none", () => {
    expect(
      caller([
        ["authorization", `Bearer ${ownKey}`],
        ["x-api-key", secret],
      ]),
    ).toMatchObject({
      credentials: [["authorization", `Bearer ${ownKey}`]],
      holder: { key: { alias: "one" } },
    });
  });

  test("is refused from the very ms on in which it expires, though it is remembered", async () => {
    await store.update("key", idOf(secret), (key) => ({ ...key, expiresAt: start + 10 }));
    const at = (now: number): Partial<KeyPolicy> => ({ asked: { ...policy.asked, now } });
    expect(caller([["x-api-key", secret]], at(start + 9)).kind).toBe("key");
    asked = [];
    const expired = expect.objectContaining({ status: 401, type: "expired_key", headers: { "x-should-retry": "false" } });
    expect(() => caller([["x-api-key", secret]], at(start + 10))).toThrow(expired);
    expect(asked).toEqual([]);
  });

  test("is held to its paths and addresses, but for those who only ask whose it is", async () => {
    await store.update("key", idOf(secret), (key) => ({ ...key, allowedAddresses: ["10.0.0.0/8"] }));
    const forbidden = expect.objectContaining({ status: 403, kind: "permission_error" });
    expect(() => caller([["x-api-key", secret]])).toThrow(forbidden);
    expect(() => caller([["x-api-key", other]], { asked: { ...policy.asked, path: "/key/info" } })).toThrow(forbidden);
    expect(await identify(incoming([["x-api-key", secret]]), none, policy)).toMatchObject({ holder: { key: { alias: "one" } } });
  });

  test("is named by no refusal", () => {
    const wrong = "sk-wrong-key-0123456789";
    expect(() => caller([["x-api-key", wrong]])).toThrow(
      expect.objectContaining({ status: 401, kind: "authentication_error", message: expect.not.stringContaining(wrong) }),
    );
  });
});

describe("where a store takes time", () => {
  let answers: boolean;
  beforeEach(() => {
    answers = true;
    const keys = {
      version: async () => (answers ? store.version() : Promise.reject(new Error("away"))),
      get: async (...asking: Parameters<KeyStore["get"]>) => store.get(...asking),
    };
    policy = { ...policy, keyRing: createKeyRing({ now: () => 0, keys: keys as unknown as Pick<KeyStore, "get" | "version"> }) };
  });

  test("who calls is waited for, until it is known", async () => {
    const request = incoming([
      ["authorization", `Bearer ${other}`],
      ["x-litellm-api-key", secret],
      ["api-key", ownKey],
    ]);
    const found = authenticateKeys(request, none, policy);
    expect(found).toBeInstanceOf(Promise);
    expect(await found).toMatchObject({ kind: "key", credentials: [["api-key", ownKey]] });
    expect(authenticateKeys(request, none, policy)).not.toBeInstanceOf(Promise);
  });

  test("nobody is let in while it is away, and what may be a key does not travel", async () => {
    answers = false;
    const beside = incoming([
      ["authorization", `Bearer ${masterKey}`],
      ["x-api-key", other],
    ]);
    expect(await authenticateKeys(beside, none, policy)).toEqual({ kind: "master", credentials: [] });
    const alone = async (): Promise<Caller> => authenticateKeys(incoming([["x-api-key", secret]]), none, policy);
    await expect(alone()).rejects.toEqual(expect.objectContaining({ status: 503 }));
  });
});
