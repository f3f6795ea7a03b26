import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Answer, ask } from "../helpers/client.ts";
import { type Proxy, startProxy } from "../helpers/proxy.ts";
import { textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

/** A service on this machine that user code may be granted. */
interface Service {
  readonly server: Server;
  readonly url: string;
  readonly seen: { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"]; readonly body: string }[];
}

async function startService(): Promise<Service> {
  const seen: Service["seen"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      if (url === "/elsewhere") response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ said: "yes" }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const attempts: Readonly<Record<string, string>> = {
  fetch: `const reply = await c.fetch(c.params.service + "/ask", { method: "POST", headers: { "x-a": "1" }, body: { q: 1 } });
    return [reply.status, reply.ok, reply.json().said, reply.headers["content-type"]]`,
  redirect: `return (await c.fetch(c.params.service + "/elsewhere")).status`,
  metadata: `return (await c.fetch("http://169.254.169.254/")).status`,
  "not granted": `return (await c.fetch("https://example.com/")).status`,
  itself: `return (await c.fetch("http://" + c.params.self + "/v1/messages", { method: "POST", body: "{}" })).status`,
  "too many": `return (await Promise.all(Array.from({ length: 33 }, () => c.fetch(c.params.service).catch((e) => e.message)))).filter((x) => typeof x === "string")`,
  kv: `await c.kv.append("log", c.requestId); await c.kv.set("last", { id: c.requestId }); return [await c.kv.get("last"), (await c.kv.lines("log")).length]`,
  "kv emptied": `await c.kv.append("gone", 1); await c.kv.delete("gone"); await c.kv.append("gone", 2); return c.kv.lines("gone")`,
  "kv too large": `await c.kv.set("large", "x".repeat(262144))`,
  "kv and failure": `await c.kv.append("log", "never"); throw new Error("after all")`,
  "kv across files": `return [await c.kv.get("../../hooks/other"), await (await c.kv.get("constructor")) ?? "nothing"]`,
  callModel: `const { text } = await c.callModel({ model: "small", messages: [{ role: "user", content: "nested" }] }); return text`,
  "callModel of another group": `return (await c.callModel({ model: "main", messages: [{ role: "user", content: "nested" }] })).text`,
  "callModel with a stream": `return (await c.callModel({ model: "small", stream: true, messages: [{ role: "user", content: "nested" }] })).text`,
};

const hook = `
import { defineHook } from "ccproxy/sdk";
const attempts: Record<string, (c: any) => Promise<unknown>> = {
${Object.entries(attempts)
  .map(([name, code]) => `  async ${JSON.stringify(name)}(c: any) { ${code} },`)
  .join("\n")}
};
export default defineHook({
  async preCall(request, c) {
    const attempt = attempts[c.headers.get("x-attempt") ?? ""];
    if (attempt === undefined) return;
    const found = await attempt(c).then((value) => ({ value }), (error) => { if (error.message === "after all") throw error; return { error: error.message }; });
    return { kind: "respond", reply: JSON.stringify(found) };
  },
});
`;

let upstream: Upstream;
let service: Service;
let proxy: Proxy;

beforeAll(async () => {
  upstream = await startUpstream(textReply("from the model"));
  service = await startService();
  const deployment = (group: string): unknown => ({
    model_name: group,
    litellm_params: { model: `anthropic/${group}`, api_base: upstream.url, api_key: `sk-ant-key-of-${group}` },
  });
  const entry = (self: string): unknown => ({
    hooks: [
      {
        hook: "hooks.attempt.default",
        params: { service: service.url, self },
        grants: ["kv", "callModel:small", `fetch:${service.url}`, `fetch:http://${self}`],
      },
    ],
  });
  proxy = await startProxy({
    config: { model_list: [deployment("main"), deployment("small")] },
    ccproxy: entry("127.0.0.1:1"),
    files: { "hooks/attempt.ts": hook },
  });
  await proxy.writeCcproxy(entry(new URL(proxy.url).host));
  await proxy.reload();
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
  service.server.close();
});

async function attempt(name: string): Promise<{ value?: unknown; error?: string }> {
  const { answer } = await send(name);
  expect(answer.status).toBe(200);
  return JSON.parse(JSON.parse(answer.text).content[0].text);
}

async function send(name: string): Promise<{ answer: Answer }> {
  const body = { model: "main", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
  return { answer: await ask(proxy.url, JSON.stringify(body), { headers: { "x-attempt": name } }) };
}

describe("fetch", () => {
  test("of a granted service works, with an idempotency key and nothing of the request's", async () => {
    expect(await attempt("fetch")).toEqual({ value: [200, true, "yes", "application/json"] });
    expect(service.seen).toMatchObject([
      { method: "POST", url: "/ask", body: '{"q":1}', headers: { "x-a": "1", "content-type": "application/json" } },
    ]);
    const { headers } = service.seen[0]!;
    expect(headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(Object.keys(headers)).not.toContain("x-attempt");
    expect(JSON.stringify(headers)).not.toContain("sk-ant");
  });

  test.each([
    ["redirect", /redirected; fetch of http:\/\/169\.254\.169\.254: HTTPS only/],
    ["metadata", /HTTPS only/],
    ["not granted", /fetch of example\.com needs the grant "fetch:example\.com"/],
    ["itself", /this proxy itself is refused/],
  ])("%s is refused, and says why", async (name, why) => {
    expect((await attempt(name)).error).toMatch(why);
  });

  test("is done 32 times in a call, not more", async () => {
    const before = service.seen.length;
    expect(await attempt("too many")).toEqual({ value: [expect.stringContaining("32 times in all")] });
    expect(service.seen.length - before).toBe(32);
  });
});

describe("kv", () => {
  test("keeps what was written from request to request, and reads what the same call wrote", async () => {
    const first = await attempt("kv");
    const second = await attempt("kv");
    expect([first, second]).toEqual([
      { value: [{ id: expect.stringMatching(/^req_/) }, 1] },
      { value: [{ id: expect.stringMatching(/^req_/) }, 2] },
    ]);
  });

  test("keeps nothing of a call that failed", async () => {
    const before = (await attempt("kv")).value as [unknown, number];
    const { answer } = await send("kv and failure");
    expect(answer.text).toContain("from the model");
    expect(await attempt("kv")).toEqual({ value: [expect.anything(), before[1] + 1] });
  });

  test("forgets what is deleted, lines and all", async () => {
    expect(await attempt("kv emptied")).toEqual({ value: [2] });
    expect(await attempt("kv emptied")).toEqual({ value: [2] });
  });

  test("refuses what is too large where it is written", async () => {
    expect((await attempt("kv too large")).error).toContain("262146 characters of JSON; at most 262144");
  });

  test("has no way to what others keep", async () => {
    expect(await attempt("kv across files")).toEqual({ value: [null, "nothing"] });
  });
});

describe("callModel", () => {
  test("asks the granted group, with the key of that deployment, and runs no hooks for it", async () => {
    const before = upstream.requests.length;
    expect(await attempt("callModel")).toEqual({ value: "from the model" });
    const sent = upstream.requests.slice(before);
    expect(sent.map((request) => [request.headers["x-api-key"], request.json()])).toEqual([
      ["sk-ant-key-of-small", { model: "small", max_tokens: 1024, messages: [{ role: "user", content: "nested" }] }],
    ]);
  });

  test("of another group, or with options that are not taken, is refused before anything is sent", async () => {
    const before = upstream.requests.length;
    expect((await attempt("callModel of another group")).error).toContain('needs the grant "callModel:GROUP"');
    expect((await attempt("callModel with a stream")).error).toContain('does not know "stream"');
    expect(upstream.requests.length).toBe(before);
  });
});
