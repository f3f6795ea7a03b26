import { Agent } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, ask, dial, rawPost } from "../../helpers/client.ts";
import { recordsOf, statusOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { jsonReply, rawReply, streamReply, textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const body = JSON.stringify({ model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream(jsonReply({ ok: true }));
  proxy = await startProxy({ config: { model_list: [deployment("m", upstream.url)] }, ccproxy: { max_body_mb: 1 } });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

function expectEnvelope(answer: Pick<Answer, "status" | "headers" | "json">, status: number, type: string, message: RegExp): void {
  expect([answer.status, answer.headers["content-type"]]).toEqual([status, "application/json"]);
  expect(answer.json()).toEqual({
    type: "error",
    error: { type, message: expect.stringMatching(message) },
    request_id: answer.headers["x-ccproxy-request-id"],
  });
  expect(answer.headers["request-id"]).toBe(answer.headers["x-ccproxy-request-id"]);
}

describe("a request body", () => {
  it.each([
    ["empty", ""],
    ["an array", `[${body}]`],
    ["a string", '"model"'],
    ["null", "null"],
    ["cut off", body.slice(0, -1)],
    ["two objects", body + body],
    ["with a comment", `${body}//`],
    ["not JSON at all", "model=m"],
  ])("that is %s is a 400 in the vendor's envelope", async (_, text) => {
    expectEnvelope(await ask(proxy.url, text), 400, "invalid_request_error", /./);
    expect(upstream.requests).toEqual([]);
  });

  it("in chunks, without a length, arrives as one", async () => {
    const connection = await dial(proxy.url);
    const cut = [body.slice(0, 7), body.slice(7, 8), body.slice(8)];
    const chunks = cut.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
    connection.write(
      `POST /v1/messages HTTP/1.1\r\nhost: ${new URL(proxy.url).host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    );
    await connection.until('{"ok":true}');
    expect(upstream.requests[0]?.body.toString()).toBe(body);
    expect(upstream.requests[0]?.headers["content-length"]).toBe(String(body.length));
    connection.socket.destroy();
  });

  it("announced by `expect: 100-continue` is asked for", async () => {
    const connection = await dial(proxy.url);
    const [head, content] = rawPost(proxy.url, body, ["expect: 100-continue"]).split("\r\n\r\n");
    connection.write(`${head}\r\n\r\n`);
    await connection.until("100 Continue");
    connection.write(content ?? "");
    await connection.until('{"ok":true}');
    connection.socket.destroy();
  });

  it("of exactly the limit is served", async () => {
    const filler = "x".repeat(1024 * 1024 - body.length - '"system":"",'.length);
    const text = body.replace("{", `{"system":"${filler}",`);
    expect(text.length).toBe(1024 * 1024);
    expect((await ask(proxy.url, text)).status).toBe(200);
    expectEnvelope(await ask(proxy.url, `${text} `), 413, "request_too_large", /1048577 bytes.*limit is 1048576/);
  });

  const large = Buffer.alloc(48 * 1024 * 1024, "x");

  const declared = `content-length: ${large.length}`;
  const json = "content-type: application/json";
  it.each([
    ["too large by its declared length is a 413", [json, declared], /^HTTP\/1\.1 413 .*request_too_large/s],
    ["too large by what has come is a 413", [json, "transfer-encoding: chunked"], /^HTTP\/1\.1 413 .*request_too_large/s],
    ["refused before it is looked at is a 415", ["content-type: text/plain", declared], /^HTTP\/1\.1 415 .*invalid_request_error/s],
  ])("%s that a client reads while it still sends", async (_, headers, answer) => {
    const connection = await dial(proxy.url);
    const isChunked = headers.includes("transfer-encoding: chunked");
    connection.write(["POST /v1/messages HTTP/1.1", `host: ${new URL(proxy.url).host}`, ...headers, "", ""].join("\r\n"));
    if (isChunked) connection.write(`${large.length.toString(16)}\r\n`);
    // Sends everything before it looks at any answer, as simple clients do.
    await new Promise<void>((resolve, reject) => {
      connection.socket.write(large, (error) => (error == null ? resolve() : reject(error)));
    });
    if (isChunked) connection.write("\r\n0\r\n\r\n");
    await connection.closed;
    expect(connection.text).toMatch(answer);
    expect(connection.text.toLowerCase()).toContain("connection: close");
  });

  it("too large, of a client that never ends, does not hold the connection for long", async () => {
    await using other = await startProxy({
      config: { model_list: [deployment("m", upstream.url)] },
      ccproxy: { max_body_mb: 1 },
      timing: { lingerMs: 50 },
    });
    const connection = await dial(other.url);
    connection.write(
      `POST /v1/messages HTTP/1.1\r\nhost: ${new URL(other.url).host}\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n`,
    );
    connection.write("x".repeat(1000));
    await connection.until("request_too_large");
    await connection.closed;
    await untilIdle(other);
  });
});

describe("a connection", () => {
  it("is used again after every kind of refusal", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asked = (text: string, headers: Record<string, string> = {}): Promise<Answer> => ask(proxy.url, text, { agent, headers });
    expect((await asked("nonsense")).status).toBe(400);
    expect((await asked(body.replace('"m"', '"nobody"'))).status).toBe(404);
    expect((await ask(proxy.url, undefined, { agent, method: "GET", path: "/nowhere" })).status).toBe(404);
    expect((await asked(body)).status).toBe(200);
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    agent.destroy();
  });

  it("answers pipelined requests in their order, whichever upstream is first", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(async (request) => {
      const { max_tokens: number } = request.json() as { max_tokens: number };
      if (number === 1) await goAhead.promise;
      return textReply(`number ${number}`);
    });
    const connection = await dial(proxy.url);
    for (const number of [1, 2, 3]) connection.write(rawPost(proxy.url, body.replace("5", String(number))));
    while (upstream.requests.length < 3) await upstream.nextRequest();
    goAhead.resolve();
    await connection.until("number 3");
    expect(connection.text.match(/number \d/g)).toEqual(["number 1", "number 2", "number 3"]);
    connection.socket.destroy();
  });

  it("that sends garbage behind its request does not get an error page into the middle of its stream", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(streamReply({ stallAfter: { events: 2 }, stallUntil: goAhead.promise }));
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    await connection.until("content_block_start");
    connection.write("garbage\r\n\r\n");
    await connection.closed;
    goAhead.resolve();
    expect(connection.text).not.toContain("400 Bad Request");
  });

  it("of HTTP/1.0 gets its stream, and an end", async () => {
    upstream.script(streamReply());
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body).replace("HTTP/1.1", "HTTP/1.0"));
    await connection.closed;
    expect(connection.text).toContain("message_stop");
    expect(connection.text.toLowerCase()).not.toContain("transfer-encoding");
  });
});

describe("a reply", () => {
  it("keeps its status and end-to-end headers, and says where it came from", async () => {
    upstream.script(
      rawReply((response) => {
        response.writeHead(201, "Odd", {
          "content-type": "application/json",
          "x-ratelimit": "9",
          "set-cookie": "a=b",
          "x-ccproxy-label": "lie",
        });
        response.end('{"a":1.0}');
      }),
    );
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.text, answer.headers["x-ratelimit"], answer.headers["set-cookie"]]).toEqual([
      201,
      '{"a":1.0}',
      "9",
      undefined,
    ]);
    expect([answer.headers["x-ccproxy-label"], answer.headers["x-ccproxy-model"]]).toEqual(["default", "m"]);
    expect(answer.headers["x-ccproxy-request-id"]).toMatch(/^req_[0-9a-f]{32}$/);
  });

  it("with a label that no header can hold is served all the same", async () => {
    await proxy.writeConfig({ model_list: [deployment("größe\n", upstream.url)] });
    await proxy.reload();
    const answer = await ask(proxy.url, JSON.stringify({ ...JSON.parse(body), model: "größe\n" }));
    expect([answer.status, answer.headers["x-ccproxy-model"]]).toEqual([200, encodeURIComponent("größe\n")]);
  });
});

describe("the record", () => {
  it("is one for each exchange, whatever became of it", async () => {
    await ask(proxy.url, body);
    await ask(proxy.url, "nonsense");
    await ask(proxy.url, body.replace('"m"', '"nobody"'));
    expect((await statusOf(proxy)).openExchanges).toBe(0);
    const records = await recordsOf(proxy);
    expect(records.map(({ outcome, status }) => [outcome, status])).toEqual([
      ["completed", 200],
      ["refused", 400],
      ["refused", 404],
    ]);
    expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(3);
  });
});
