import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Answer, ask } from "../../helpers/client.ts";
import { type Proxy, startProxy } from "../../helpers/proxy.ts";
import { errorReply, textReply } from "../../helpers/replies.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";
import { vendorPlugins } from "../../helpers/vendor.ts";

let vendor: Upstream;
let directory = "";
beforeEach(async () => {
  vendor = await startUpstream();
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-oat-"));
});
afterEach(async () => {
  await vendor.close();
  await rm(directory, { recursive: true, force: true });
});

function start(source: unknown): Promise<Proxy> {
  return startProxy({ ccproxy: { oat_sources: { anthropic: source } }, plugins: vendorPlugins(vendor.url) });
}

function call(proxy: Proxy, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return ask(proxy.url, JSON.stringify({ model: "claude-x", max_tokens: 1, messages: [] }), { headers });
}

/** Prints `sk-ant-oat01-token-1`, then `-2`, …, and leaves a line per run. */
const counting = (): string => `echo run >> '${directory}/runs'; echo "sk-ant-oat01-token-$(wc -l < '${directory}/runs' | tr -d ' ')"`;
const runs = async (): Promise<number> => (await readFile(path.join(directory, "runs"), "utf8").catch(() => "")).split("\n").length - 1;

/** Refuses this token as the API does. */
const refusing = (token: string): void =>
  vendor.script(({ headers }) =>
    headers["authorization"] === `Bearer ${token}` ? errorReply(401, { message: "expired" }) : textReply("hello"),
  );

describe("a command", () => {
  test("does not run at the start, nor for callers with a login of their own, and once for all others", async () => {
    await using proxy = await start(counting());
    expect((await call(proxy, { authorization: "Bearer sk-ant-oat01-callers" })).status).toBe(200);
    expect(await runs()).toBe(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(proxy)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await runs()).toBe(1);
    expect(new Set(vendor.requests.map(({ headers }) => headers["authorization"]))).toEqual(
      new Set(["Bearer sk-ant-oat01-callers", "Bearer sk-ant-oat01-token-1"]),
    );
  });

  test("serves an SDK that had to send some key, whose placeholder stays here", async () => {
    await using proxy = await start(counting());
    expect((await call(proxy, { "x-api-key": "placeholder", "anthropic-beta": "one" })).status).toBe(200);
    expect(vendor.requests[0]?.headers).toMatchObject({
      authorization: "Bearer sk-ant-oat01-token-1",
      "anthropic-beta": "one,oauth-2025-04-20",
    });
    expect(vendor.requests[0]?.headers["x-api-key"]).toBeUndefined();
  });

  test("with a user agent sends that, without one the caller's", async () => {
    await using proxy = await start({ command: counting(), user_agent: "agent/7" });
    await call(proxy, { "user-agent": "sdk/1" });
    expect(vendor.requests[0]?.headers["user-agent"]).toBe("agent/7");
    await using plain = await start(counting());
    await call(plain, { "user-agent": "sdk/1" });
    expect(vendor.requests[1]?.headers["user-agent"]).toBe("sdk/1");
  });

  test("whose output is no login token gets no beta of logins", async () => {
    await using proxy = await start("echo some-other-token");
    await call(proxy);
    expect(vendor.requests[0]?.headers["authorization"]).toBe("Bearer some-other-token");
    expect(vendor.requests[0]?.headers["anthropic-beta"]).toBeUndefined();
  });
});

describe("a refused token", () => {
  test("leaves two attempts in the record of the request", async () => {
    refusing("sk-ant-oat01-token-1");
    await using proxy = await start(counting());
    expect((await call(proxy)).status).toBe(200);
    await proxy.stop(0);
    expect((await proxy.logLines()).find(({ msg }) => msg === "request")).toMatchObject({ status: 200, attempts: 2 });
  });

  test("is fetched anew once for twenty requests at once, each of which succeeds", async () => {
    refusing("sk-ant-oat01-token-1");
    await using proxy = await start(counting());
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(proxy)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await runs()).toBe(2);
    expect(vendor.requests.length).toBeLessThanOrEqual(40);
    await call(proxy);
    expect(await runs()).toBe(2);
  });

  test("is not refused a third time: the second refusal is the answer, unchanged", async () => {
    vendor.script(errorReply(401, { message: "no entry", headers: { "x-should-retry": "false" } }));
    await using proxy = await start(counting());
    const answer = await call(proxy);
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: { message: "no entry" } });
    expect(vendor.requests).toHaveLength(2);
    expect(await runs()).toBe(2);
  });

  test("that the source gives again is not sent again, and costs one run for twenty requests", async () => {
    const all = Promise.withResolvers<void>();
    vendor.script(async (_request, index) => {
      // Refused together, when each of them carries the first reading.
      if (index === 19) all.resolve();
      await all.promise;
      return errorReply(401, { message: "no entry" });
    });
    await using proxy = await start(`echo run >> '${directory}/runs'; echo sk-ant-oat01-same`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(proxy)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(vendor.requests).toHaveLength(20);
    expect(await runs()).toBe(2);
  });

  test("of the caller's own is not retried with another's", async () => {
    refusing("sk-ant-oat01-callers");
    await using proxy = await start(counting());
    expect((await call(proxy, { authorization: "Bearer sk-ant-oat01-callers" })).status).toBe(401);
    expect(vendor.requests).toHaveLength(1);
    expect(await runs()).toBe(0);
  });

  test("is the answer when a fresh one cannot be had", async () => {
    vendor.script(errorReply(401, { message: "expired" }));
    await using proxy = await start(`test -e '${directory}/once' && exit 1; touch '${directory}/once'; echo sk-ant-oat01-only`);
    const answer = await call(proxy);
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: { message: "expired" } });
  });
});

describe("a failing source", () => {
  test.each([
    ["a command that fails", "echo sk-ant-oat01-leak; echo sk-ant-oat01-leak >&2; exit 9", /token command ended with 9/],
    ["a file that is missing", { file: "/nowhere/credentials.json", path: "a" }, /\/nowhere\/credentials\.json.*ENOENT/],
  ])("does not stop the start; %s is a clear 401 and the upstream is not asked", async (_what, source, message) => {
    await using proxy = await start(source);
    const answer = await call(proxy);
    expect(answer.status).toBe(401);
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(answer.json()).toMatchObject({
      type: "error",
      error: { type: "authentication_error", message: expect.stringMatching(message) },
    });
    expect(vendor.requests).toEqual([]);
    await proxy.stop();
    expect(answer.text + (await proxy.logText())).not.toContain("leak");
  });

  test("leaves callers with a login of their own alone", async () => {
    await using proxy = await start("exit 1");
    expect((await call(proxy, { "x-api-key": "sk-ant-api03-callers" })).status).toBe(200);
  });
});

describe("a file", () => {
  test("is read from its path when first needed, and again after a refusal", async () => {
    const file = path.join(directory, "credentials.json");
    await using proxy = await start({ file, path: "claudeAiOauth.accessToken" });
    await writeFile(file, JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-first" } }));
    expect((await call(proxy)).status).toBe(200);
    refusing("sk-ant-oat01-first");
    await writeFile(file, JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-second" } }));
    expect((await call(proxy)).status).toBe(200);
    expect(vendor.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer sk-ant-oat01-first",
      "Bearer sk-ant-oat01-first",
      "Bearer sk-ant-oat01-second",
    ]);
  });
});

test("a token is in no log line, no error, no status and no trace", async () => {
  vendor.script(errorReply(401, { message: "bad token sk-ant-oat01-token-1" }));
  await using proxy = await startProxy({
    ccproxy: { oat_sources: { anthropic: "echo plain-token-without-a-look-of-its-own" }, debug: true },
    plugins: vendorPlugins(vendor.url),
  });
  await call(proxy);
  const traced = await call(proxy);
  const id = String(traced.headers["x-ccproxy-request-id"]);
  const own = await Promise.all(
    ["/ccproxy/status", `/ccproxy/traces/${id}`, "/health", "/v1/models"].map((target) =>
      ask(proxy.url, undefined, { method: "GET", path: target }),
    ),
  );
  await proxy.stop();
  const written = own.map(({ text }) => text).join("\n") + (await proxy.logText());
  expect(written).toContain(id);
  expect(written).not.toContain("plain-token");
});
