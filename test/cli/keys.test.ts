import { mkdir, writeFile } from "node:fs/promises";

import { describe, expect, test } from "vitest";

import { processStartMark } from "../../cli/liveness.ts";
import { stateFilePath, type ServerState } from "../../cli/state-file.ts";
import { idOf } from "../../core/keys/secret.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { startKeyServer, type KeyServer } from "../core/endpoints/keys-server.ts";
import { spend, virtualKey } from "../core/endpoints/spend-server.ts";
import { createHome, type Home } from "./command-line.ts";

const controlToken = "control-token-of-this-test";
const dayMs = 86_400_000;

interface Setting {
  readonly server: KeyServer;
  readonly home: Home;
  /** `ccproxy keys …`, which has to succeed. */
  readonly keys: (...args: readonly string[]) => Promise<string>;
  /** `ccproxy keys …`, which has to fail. */
  readonly failing: (...args: readonly string[]) => Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** A home folder whose state file names a server of this process. */
async function setUp(): Promise<Setting> {
  const server = await startKeyServer("sqlite", {
    adminOf: async (ctx) => {
      if (ctx.get("x-ccproxy-token") === controlToken) return { kind: "master" };
      throw new ProxyError("no token", { status: 401, kind: "authentication_error" });
    },
    also: (router) => {
      router.get("/ccproxy/status", (ctx) => {
        ctx.body = { name: "ccproxy", instance: "inst_1" };
      });
    },
  });
  const home = await createHome();
  await mkdir(home.directory, { mode: 0o700 });
  const { hostname, port } = new URL(server.url);
  const state: ServerState = {
    claim: "claim",
    pid: process.pid,
    startMark: await processStartMark(),
    startedAt: "2026-11-23T00:00:00.000Z",
    version: "1.0.0",
    mode: "foreground",
    requested: {},
    server: { host: hostname, port: Number(port), url: server.url, instance: "inst_1", controlToken },
  };
  await writeFile(stateFilePath(home.directory), JSON.stringify(state), { mode: 0o600 });
  return {
    server,
    home,
    keys: async (...args) => {
      const { code, stdout, stderr } = await home.ccproxy(["keys", ...args]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    },
    failing: async (...args) => {
      const { code, stdout, stderr } = await home.ccproxy(["keys", ...args]);
      expect(stdout).toBe("");
      expect(code).not.toBe(0);
      return { code, stderr };
    },
  };
}

describe("ccproxy keys", () => {
  test("create prints the secret, and how to use it", async () => {
    const { server, keys } = await setUp();
    const options = ["--alias", "ci", "--models", "opus, haiku", "--max-budget", "5", "--budget-duration", "30d"];
    const stdout = await keys("create", ...options, "--rpm", "20", "--tpm", "1000", "--expires", "30d", "--user", "ada");
    const secret = /^ {2}(sk-[\w-]{43})$/m.exec(stdout)?.[1] ?? "";
    expect(stdout).toBe(`Key "ci" created. This is its secret, shown only now:

  ${secret}

Claude Code:
  ANTHROPIC_BASE_URL=${server.url} ANTHROPIC_AUTH_TOKEN=${secret} claude
OpenAI clients, which send it as bearer:
  OPENAI_BASE_URL=${server.url}/v1 OPENAI_API_KEY=${secret}
`);
    expect(await server.keys.get("key", idOf(secret))).toMatchObject({
      alias: "ci",
      models: ["opus", "haiku"],
      maxBudget: 5e9,
      budgetDuration: "30d",
      rpm: 20,
      tpm: 1000,
      userId: "ada",
      expiresAt: Date.parse("2026-11-23T12:00:00Z") + 30 * dayMs,
    });
  });

  test("list shows who may spend what, until when", async () => {
    const { server, keys } = await setUp();
    expect(await keys("list")).toBe('no keys; "ccproxy keys create" makes one\n');
    const far = Date.parse("2999-01-01T00:00:00Z");
    const shown = { models: ["opus", "haiku"], maxBudget: 5e9, budgetDuration: "30d" };
    await server.keys.create("key", virtualKey("a".repeat(64), { alias: "ci", ...shown, createdAt: 4 }));
    await server.keys.create("key", virtualKey("b".repeat(64), { isBlocked: true, expiresAt: far, createdAt: 3 }));
    await server.keys.create("key", virtualKey("c".repeat(64), { alias: "old", expiresAt: 1, models: ["a", "b", "c", "d"], createdAt: 2 }));
    await server.keys.create("key", virtualKey("d".repeat(64), { alias: "poor", maxBudget: 1e8, createdAt: 1 }));
    await spend(server.ledger, { id: "1", start: { caller: { kind: "key", keyId: "a".repeat(64) } } });
    await spend(server.ledger, { id: "2", start: { caller: { kind: "key", keyId: "d".repeat(64) } } });
    const end = `2999-01-01, in ${Math.round((far - Date.now()) / dayMs)} d`;
    const pad = (text: string): string => text.padEnd(end.length);
    expect(await keys("list")).toBe(`\
alias  key         id            models               spend / budget        ${pad("expires")}  state
ci     sk-...abcd  aaaaaaaaaaaa  opus, haiku          $0.25 / $5.00 in 30d  ${pad("never")}  active
-      sk-...abcd  bbbbbbbbbbbb  all                  $0                    ${end}  blocked
old    sk-...abcd  cccccccccccc  a, b, c, and 1 more  $0                    ${pad("1970-01-01")}  expired
poor   sk-...abcd  dddddddddddd  all                  $0.25 / $0.10         ${pad("never")}  over budget
`);
    expect(JSON.parse(await keys("list", "--json", "--user", "nobody"))).toEqual([]);
  });

  test("info shows all there is of one, by alias, id or the beginning of the id", async () => {
    const { server, keys } = await setUp();
    const id = `0123456789abcdef${"0".repeat(48)}`;
    const terms = { maxBudget: 5e9, budgetDuration: "1d", rpm: 20, tpm: 1000 };
    await server.keys.create("key", virtualKey(id, { alias: "ci", models: ["a", "b", "c", "d"], teamId: "writers", ...terms }));
    const stdout = await keys("info", "ci");
    expect(stdout).toBe(`\
alias        ci
key          sk-...abcd
id           ${id}
state        active
models       a, b, c, d
spend        $0 / $5.00 in 1d
begins anew  2026-11-24 00:00 UTC
requests     20 a minute
tokens       1000 a minute
team         writers
created      2026-11-23 12:00 UTC
expires      never
`);
    expect(await keys("info", id)).toBe(stdout);
    expect(await keys("info", "01234567")).toBe(stdout);
    expect(JSON.parse(await keys("info", "0123456789", "--json"))).toMatchObject({ token: id, key_alias: "ci" });
  });

  test("as JSON, all of them, page by page", async () => {
    const { server, keys } = await setUp();
    for (let index = 0; index < 101; index++)
      await server.keys.create("key", virtualKey(String(index).padStart(64, "0"), { createdAt: index }));
    expect(JSON.parse(await keys("list", "--json"))).toHaveLength(101);
    expect(JSON.parse(await keys("info", "0".repeat(64), "--json"))).toMatchObject({ token: "0".repeat(64) });
  });

  test("block, unblock, rotate, delete", async () => {
    const { server, keys } = await setUp();
    const id = "a".repeat(64);
    await server.keys.create("key", virtualKey(id, { alias: "ci" }));
    expect(await keys("block", "ci")).toBe('Key "ci" is blocked: it opens nothing any more\n');
    expect(await server.keys.get("key", id)).toMatchObject({ isBlocked: true });
    expect(await keys("unblock", id.slice(0, 8))).toBe('Key "ci" is unblocked\n');
    expect(await server.keys.get("key", id)).toMatchObject({ isBlocked: false });
    const secret = /^ {2}(sk-\S{43})$/m.exec(await keys("rotate", "ci"))?.[1] ?? "";
    expect(await server.keys.get("key", id)).toBeUndefined();
    expect(await server.keys.get("key", idOf(secret))).toMatchObject({ alias: "ci" });
    expect(await keys("delete", "ci")).toBe('Key "ci" is deleted; what it spent stays in the ledger\n');
    expect(await server.keys.get("key", idOf(secret))).toBeUndefined();
  });

  test("a secret is printed as JSON, too, where that is asked for", async () => {
    const { server, keys } = await setUp();
    const made = JSON.parse(await keys("create", "--json")) as { readonly key: string; readonly token: string };
    expect(made.token).toBe(idOf(made.key));
    const renewed = JSON.parse(await keys("rotate", made.token, "--json")) as { readonly key: string };
    expect(await server.keys.get("key", idOf(renewed.key))).toBeDefined();
    expect(await keys("list")).not.toContain(renewed.key);
  });

  test("names that mean several keys, or none", async () => {
    const { server, failing, keys } = await setUp();
    await server.keys.create("key", virtualKey(`aaaaaaaa1${"0".repeat(55)}`, { alias: "one" }));
    await server.keys.create("key", virtualKey(`aaaaaaaa2${"0".repeat(55)}`, { createdAt: 1 }));
    await server.keys.create("key", virtualKey("b".repeat(64), { alias: "aaaaaaaa1", createdAt: 0 }));
    const { code, stderr } = await failing("delete", "aaaaaaaa");
    expect(code).toBe(2);
    expect(stderr).toContain(
      '"aaaaaaaa" is ambiguous: 2 keys are called so, or have ids that begin so: aaaaaaaa10000000 (one), aaaaaaaa20000000',
    );
    expect((await failing("block", "aaaaaaaa1")).stderr).toContain("is ambiguous");
    expect((await failing("info", "aaaaaaa")).stderr).toContain("of an id give 8 characters or more");
    expect((await failing("info", "nobody")).stderr).toContain('there is no key "nobody"; "ccproxy keys list" shows them all');
    const ofSecret = await failing("info", "sk-0123456789abcdef");
    expect(ofSecret.stderr).toContain("not by its secret");
    expect(ofSecret.stderr).not.toContain("sk-0123456789abcdef");
    expect(await keys("info", "bbbbbbbb")).toContain("aaaaaaaa1");
    expect((await server.keys.list("key", { limit: 1, offset: 0 })).total).toBe(3);
  });

  test("what the server refuses, and what it could not use", async () => {
    const { home, failing } = await setUp();
    expect(await failing("create", "--expires", "soon")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('duration: found "soon"'),
    });
    expect(await failing("create", "--team", "nobody")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("team_id: there is no team"),
    });
    const made = await home.ccproxy(["keys", "create", "--models", "opsu"]);
    expect(made.code).toBe(0);
    expect(made.stderr).toBe('ccproxy: models: no model is called "opsu" here. Did you mean "opus"?\n');
  });

  test.each([
    [["create", "--max-budget", "much"], "an amount such as 5"],
    [["create", "--max-budget", "-1"], "an amount such as 5"],
    [["create", "--rpm", "1.5"], "whole number"],
    [["create", "--models", ","], "must name a model"],
    [["create", "ci"], "too many arguments"],
    [["info"], "missing required argument"],
    [["burn", "ci"], "unknown command"],
    [[], "Usage: ccproxy keys"],
  ])("wrong use: %j", async (args, wanted) => {
    const home = await createHome();
    const { code, stdout, stderr } = await home.ccproxy(["keys", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(wanted);
  });

  test("without a server it says so; the folder may be named at either place", async () => {
    const { home, server } = await setUp();
    const elsewhere = await createHome();
    for (const args of [
      ["--config-dir", home.directory, "keys", "list"],
      ["keys", "--config-dir", home.directory, "list"],
      ["keys", "list", "--config-dir", home.directory],
    ])
      expect(await elsewhere.ccproxy(args)).toMatchObject({ code: 0, stdout: expect.stringContaining("no keys") });
    const { code, stderr } = await elsewhere.ccproxy(["keys", "list"]);
    expect(code).toBe(1);
    expect(stderr).toContain('no server runs that could know of keys; "ccproxy start" starts one');
    expect(server.log).toEqual([]);
  });

  test("help has an example of each", async () => {
    const home = await createHome();
    for (const command of ["create", "list", "info", "block", "unblock", "rotate", "delete"])
      expect((await home.ccproxy(["keys", command, "--help"])).stdout).toContain(`$ ccproxy keys ${command}`);
    const { stdout } = await home.ccproxy(["keys", "--help"]);
    expect(stdout).toMatch(/^ {2}rotate /m);
  });
});
