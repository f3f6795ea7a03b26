import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { TokenSourceError, Tokens } from "../../../core/credentials/token-source.ts";
import { TokenSources } from "../../../core/credentials/token-sources.ts";
import type { TokenSource } from "../../../core/config/types.ts";
import { makeConfig } from "../../helpers/config.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-token-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const command = (text: string): TokenSource => ({ type: "command", command: text, userAgent: undefined });
const file = (name: string, at: string): TokenSource => ({
  type: "file",
  file: path.join(directory, name),
  path: at,
  userAgent: undefined,
});

async function failure(source: TokenSource): Promise<string> {
  const error: unknown = await new Tokens(source, () => undefined).get().catch((reason: unknown) => reason);
  if (!(error instanceof TokenSourceError)) throw new Error(`not refused: ${String(error)}`);
  return error.message;
}

/** A command that prints `token-1`, then `token-2`, …, and leaves one line per run in a file. */
function counting(): { source: TokenSource; runs: () => Promise<number> } {
  const log = path.join(directory, "runs");
  return {
    source: command(`echo run >> '${log}'; echo "token-$(wc -l < '${log}' | tr -d ' ')"`),
    runs: async () => (await readFile(log, "utf8").catch(() => "")).split("\n").length - 1,
  };
}

describe("a command", () => {
  test("runs when its token is first asked for, not before, and once however many ask", async () => {
    const { source, runs } = counting();
    const told: string[] = [];
    const tokens = new Tokens(source, (token) => told.push(token));
    expect(await runs()).toBe(0);
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get()));
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set(["token-1"]));
    expect((await tokens.get()).value).toBe("token-1");
    expect(await runs()).toBe(1);
    expect(told).toEqual(["token-1"]);
  });

  test("white space around its output is not part of the token", async () => {
    expect(await new Tokens(command("printf '  token\\r\\n\\n'"), () => undefined).get()).toEqual({ value: "token" });
  });

  test.each([
    ["fails", "echo sk-ant-oat01-secret; exit 3", "3"],
    ["fails and complains", "echo sk-ant-oat01-secret >&2; exit 1", "1"],
    ["does not exist", "no-such-program-of-anyone", "127"],
    ["says nothing", "true", "empty"],
    ["says more than a token", "echo sk-ant-oat01-secret and more", "no token"],
    ["prints two lines", "printf 'sk-ant-oat01-secret\\nx-injected: 1'", "no token"],
    ["prints what no header can hold", "printf 'sk-ant-oat01-secret\\303\\251'", "no token"],
    ["prints without end", "yes sk-ant-oat01-secret", "MAXBUFFER"],
    ["is killed", "echo sk-ant-oat01-secret; kill -9 $$", "SIGKILL"],
  ])("that %s is a clear failure which does not repeat its output", async (_what, text, told) => {
    const message = await failure(command(text));
    expect(message).toContain(told);
    expect(message).not.toContain("secret");
  });

  test("that hangs is stopped, with what it started", async () => {
    expect(await failure(command("sleep 60 | cat"))).toContain("stopped after 5 s");
  });

  test("that failed is run again when asked again", async () => {
    const flag = path.join(directory, "flag");
    const tokens = new Tokens(command(`cat '${flag}'`), () => undefined);
    await expect(tokens.get()).rejects.toThrow(TokenSourceError);
    await writeFile(flag, "late-token");
    expect((await tokens.get()).value).toBe("late-token");
  });
});

describe("a refused token", () => {
  test("is fetched anew once, however many requests it was refused to", async () => {
    const { source, runs } = counting();
    const tokens = new Tokens(source, () => undefined);
    const refused = await Promise.all(Array.from({ length: 20 }, () => tokens.get()));
    const fresh = await Promise.all(
      refused.map(async (token) => {
        await tokens.invalidate(token);
        return tokens.get();
      }),
    );
    expect(new Set(fresh.map(({ value }) => value))).toEqual(new Set(["token-2"]));
    expect(await runs()).toBe(2);
  });

  test("is fetched anew once even when the fresh one is the same", async () => {
    const log = path.join(directory, "runs");
    const tokens = new Tokens(command(`echo run >> '${log}'; echo same-token`), () => undefined);
    const refused = await Promise.all(Array.from({ length: 5 }, () => tokens.get()));
    for (const token of refused) {
      await tokens.invalidate(token);
      await tokens.get();
    }
    expect(await readFile(log, "utf8")).toBe("run\nrun\n");
  });

  test("does not take a newer one with it", async () => {
    const { source, runs } = counting();
    const tokens = new Tokens(source, () => undefined);
    const first = await tokens.get();
    await tokens.invalidate(first);
    const second = await tokens.get();
    await tokens.invalidate(first);
    expect(await tokens.get()).toBe(second);
    expect(await runs()).toBe(2);
  });
});

describe("a file", () => {
  beforeEach(async () => {
    await writeFile(
      path.join(directory, "credentials.json"),
      JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-from-file", expiresAt: 1, list: ["a"] }, "": "x" }),
    );
  });

  test("gives the text at its path, read anew after a refusal", async () => {
    const tokens = new Tokens(file("credentials.json", "claudeAiOauth.accessToken"), () => undefined);
    const first = await tokens.get();
    expect(first.value).toBe("sk-ant-oat01-from-file");
    await writeFile(path.join(directory, "credentials.json"), JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-newer" } }));
    expect(await tokens.get()).toBe(first);
    await tokens.invalidate(first);
    expect((await tokens.get()).value).toBe("sk-ant-oat01-newer");
  });

  test("an element of a list can be named by its number", async () => {
    expect((await new Tokens(file("credentials.json", "claudeAiOauth.list.0"), () => undefined).get()).value).toBe("a");
  });

  test.each([
    ["no such key", "claudeAiOauth.refreshToken"],
    ["a key of a text", "claudeAiOauth.accessToken.length"],
    ["a number", "claudeAiOauth.expiresAt"],
    ["a mapping", "claudeAiOauth"],
    ["what every object has", "constructor.name"],
    ["the prototype", "__proto__.x"],
  ])("a path to %s is a clear failure", async (_what, at) => {
    const message = await failure(file("credentials.json", at));
    expect(message).toContain("credentials.json");
    expect(message).toContain(at);
    expect(message).not.toContain("sk-ant-oat01");
  });

  test("one that is missing, or is no JSON, is a clear failure without its content", async () => {
    expect(await failure(file("missing.json", "a"))).toContain("ENOENT");
    await writeFile(path.join(directory, "plain"), "sk-ant-oat01-plain");
    const message = await failure(file("plain", "a"));
    expect(message).toContain("is not JSON");
    expect(message).not.toContain("sk-ant");
  });
});

describe("the sources of a configuration", () => {
  test("keep their tokens over a reload that leaves them as they were", async () => {
    const { source, runs } = counting();
    const sources = new TokenSources({ home: directory, onToken: () => undefined });
    const before = makeConfig({ tokenSources: new Map([["anthropic", source]]) });
    const after = makeConfig({ tokenSources: new Map([["anthropic", { ...source }]]) });
    const first = await sources.of(before).get("anthropic")?.get();
    expect(await sources.of(after).get("anthropic")?.get()).toBe(first);
    expect(await runs()).toBe(1);
    const other = makeConfig({ tokenSources: new Map([["anthropic", command("echo other")]]) });
    expect((await sources.of(other).get("anthropic")?.get())?.value).toBe("other");
  });

  test("a file is found from the configuration's folder and from the home folder, wherever the proxy was started", async () => {
    await writeFile(path.join(directory, "token.json"), '{"token":"found"}');
    const sources = new TokenSources({ home: directory, onToken: () => undefined });
    const of = (name: string): TokenSource => ({ type: "file", file: name, path: "token", userAgent: undefined });
    for (const name of ["token.json", "./token.json", "~/token.json"]) {
      const config = makeConfig({
        directory: name.startsWith("~") ? "/nowhere" : directory,
        tokenSources: new Map([["anthropic", of(name)]]),
      });
      expect((await sources.of(config).get("anthropic")?.get())?.value).toBe("found");
    }
  });
});
