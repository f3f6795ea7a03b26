import { describe, expect, it } from "vitest";

import { builtinPlugins } from "../../../plugins/index.ts";
import type { Provider } from "../../../sdk/provider.ts";
import { ask, openAnswer } from "../../helpers/client.ts";
import { traceOf } from "../../helpers/exchanges.ts";
import { deployment, type Proxy, type ProxyOptions, startProxy } from "../../helpers/proxy.ts";
import { errorReply, jsonReply, type Reply, rawReply, textReply } from "../../helpers/replies.ts";
import { smallPlugin } from "../../helpers/small-dialect.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const line = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const whole = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply =>
  jsonReply(value, { status, headers });
const typed = (contentType: string, body: string): Reply =>
  rawReply((response) => void response.writeHead(200, { "content-type": contentType }).end(body));
const streamed = (...lines: readonly string[]): Reply => typed("text/event-stream", lines.join(""));
const hello = streamed(line({ piece: "hel" }), line({ piece: "lo" }), line({ over: [7, 2] }));

interface Between extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly upstream: Upstream;
}

/** Groups `s` (small) and `a` (anthropic), both at one upstream. */
async function start({ provider, ...options }: ProxyOptions & { readonly provider?: Partial<Provider> } = {}): Promise<Between> {
  const upstream = await startUpstream();
  const small = { model_name: "s", litellm_params: { model: "small/m-1", api_base: upstream.url, api_key: "the-key-of-the-host" } };
  const proxy = await startProxy({
    config: { model_list: [small, deployment("a", upstream.url)] },
    plugins: [...builtinPlugins, smallPlugin(provider)],
    ...options,
  });
  return {
    proxy,
    upstream,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

const talk = "POST /talk";
const messages = [{ role: "user", content: "hi" }];
const hubBody = (stream: boolean, model = "s"): string => JSON.stringify({ model, max_tokens: 9, stream, messages });
const smallBody = (stream: boolean, name = "a", more: object = {}): string =>
  JSON.stringify({ name, say: "hi", ...(stream ? { stream } : {}), ...more });
const small = { path: "/small" };

describe("a client of the hub at an upstream of another dialect", () => {
  it("is told a stream in its own events", async () => {
    await using between = await start();
    between.upstream.script(hello, talk);
    const answer = await ask(between.proxy.url, hubBody(true));
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toContain("text/event-stream");
    const names = [...answer.text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1]);
    const block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"];
    expect(names).toEqual(["message_start", ...block, "message_delta", "message_stop"]);
    expect(answer.text).toContain('"usage":{"input_tokens":7,"output_tokens":2');
    const [request] = between.upstream.requests;
    expect(request?.json()).toEqual({ name: "m-1", say: "hi", stream: true });
    expect(request?.headers).toMatchObject({ "x-small": "1", "x-small-key": "the-key-of-the-host", "content-type": "application/json" });
  });

  it("is told a whole reply as a message, and each kind of reply as it asked for, whatever came", async () => {
    await using between = await start();
    for (const reply of [whole({ said: "hello", used: [7, 2] }), hello]) {
      between.upstream.script(reply, talk);
      const answer = await ask(between.proxy.url, hubBody(false));
      expect(answer.json()).toMatchObject({
        type: "message",
        model: "m-1",
        content: [{ type: "text", text: "hello" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 7, output_tokens: 2 },
      });
      expect(answer.headers["content-length"]).toBe(String(answer.bytes.length));
      const events = await ask(between.proxy.url, hubBody(true));
      expect(events.text).toContain("event: message_stop");
      expect([...events.text.matchAll(/"text":"(\w+)"/g)].map((match) => match[1]).join("")).toBe("hello");
    }
  });

  it("books what the upstream counted, and keeps what it says of limits", async () => {
    await using between = await start();
    const limits = { "x-ratelimit-remaining-requests": "5", "x-request-id": "req-1", "openai-organization": "org-1" };
    between.upstream.script(whole({ said: "hello", used: [7, 2] }, 200, limits), talk);
    const answer = await ask(between.proxy.url, hubBody(false));
    expect(answer.headers).toMatchObject({ "x-ratelimit-remaining-requests": "5", "x-request-id": "req-1" });
    expect(answer.headers["openai-organization"]).toBeUndefined();
    await between.proxy.stop(0);
    const record = (await between.proxy.logLines()).find((entry) => entry["msg"] === "request");
    expect(record).toMatchObject({ inputTokens: 7, outputTokens: 2, outcome: "completed", modelServed: "m-1" });
  });

  it("says nothing of itself there: neither its headers nor its credential", async () => {
    await using between = await start();
    between.upstream.script(hello, talk);
    const headers = { authorization: "Bearer sk-ant-oat01-mine", "anthropic-beta": "one", "x-claude-code-session-id": "s", "x-own": "1" };
    await ask(between.proxy.url, hubBody(true), { path: "/v1/messages?beta=true", headers });
    const [request] = between.upstream.requests;
    expect(request?.url).toBe("/talk");
    for (const name of Object.keys(headers)) expect(request?.headers[name]).toBeUndefined();
    expect(JSON.stringify(request?.rawHeaders)).not.toContain("sk-ant-oat01");
  });

  it("is told errors in its own envelope, with status and headers", async () => {
    await using between = await start();
    between.upstream.script(whole({ wrong: "slow down the-key-of-the-host" }, 429), talk);
    const answer = await ask(between.proxy.url, hubBody(true));
    expect(answer.status).toBe(429);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "rate_limit_error" } });
    expect(answer.text).toContain("small said");
    // An upstream may repeat the key it did not like.
    expect(answer.text).not.toContain("the-key-of-the-host");
  });

  it("has its hooks told that it was the upstream who refused", async () => {
    const hook =
      'import { defineHook, respond } from "ccproxy/sdk";\nexport default defineHook({ onError: (error) => respond(`${error.source} ${error.status} ${error.type}`) });';
    await using between = await start({ files: { "hooks/tell.ts": hook } });
    between.upstream.script(whole({ wrong: "slow down" }, 429), talk);
    expect((await ask(between.proxy.url, hubBody(false))).json()).toMatchObject({ content: [{ text: "upstream 429 rate_limit_error" }] });
  });

  it("is asked once more without the thinking that the upstream refused, and once only", async () => {
    await using between = await start();
    between.upstream.script([whole({ wrong: "sealed" }, 400), hello], talk);
    expect((await ask(between.proxy.url, hubBody(true))).status).toBe(200);
    expect(between.upstream.requests.map((request) => request.json())).toEqual([
      { name: "m-1", say: "hi", stream: true },
      { name: "m-1", say: "hi", stream: true, again: true },
    ]);
    between.upstream.script(whole({ wrong: "sealed" }, 400), talk);
    expect((await ask(between.proxy.url, hubBody(true))).status).toBe(400);
    expect(between.upstream.requests).toHaveLength(4);
  });

  it.each([
    ["a stream that ends early", streamed(line({ piece: "hel" }))],
    ["an error in the middle", streamed(line({ piece: "hel" }), line({ wrong: "out of tokens" }), line({ piece: "late" }))],
  ])("is told of %s by one error event, and is answered 502 where it asked for no stream", async (_, reply) => {
    await using between = await start();
    between.upstream.script(reply, talk);
    const answer = await ask(between.proxy.url, hubBody(true));
    expect(answer.text.match(/^event: error$/gm)).toHaveLength(1);
    expect(answer.text).not.toContain("message_stop");
    expect(answer.text).not.toContain("late");
    const wholeAnswer = await ask(between.proxy.url, hubBody(false));
    expect([wholeAnswer.status, wholeAnswer.json()]).toMatchObject([502, { type: "error" }]);
    await between.proxy.stop(0);
    const outcomes = (await between.proxy.logLines()).filter((entry) => entry["msg"] === "request").map((entry) => entry["outcome"]);
    expect(outcomes).toEqual(["upstream-failed", "upstream-failed"]);
  });

  it.each([
    ["no JSON", typed("application/json", "{")],
    ["JSON that is no object", whole([1])],
  ])("is answered 502 when the upstream answers with %s", async (_, reply) => {
    await using between = await start();
    between.upstream.script(reply, talk);
    expect((await ask(between.proxy.url, hubBody(false))).json()).toMatchObject({ type: "error", error: { type: "api_error" } });
  });

  it("is answered 400 for what cannot be said there, and nothing is sent", async () => {
    await using between = await start();
    const body = JSON.stringify({ model: "s", max_tokens: 9, messages: [{ role: "user", content: "unsayable" }] });
    const answer = await ask(between.proxy.url, body);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("messages: cannot be said")]);
    expect(between.upstream.requests).toEqual([]);
  });

  it("is counted for here", async () => {
    await using between = await start();
    const answer = await ask(between.proxy.url, hubBody(false), { path: "/v1/messages/count_tokens" });
    expect(answer.json()).toEqual({ input_tokens: expect.any(Number) });
    expect(between.upstream.requests).toEqual([]);
  });

  it("leaves a trace of what was put otherwise", async () => {
    await using between = await start();
    between.upstream.script(hello, talk);
    const steps = await traceOf(between.proxy, await ask(between.proxy.url, hubBody(true)));
    expect(steps).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ stage: "call", what: "dropped", detail: { field: "max_tokens" } }),
        expect.objectContaining({ stage: "call", what: "translated", detail: { from: "anthropic", to: "small" } }),
      ]),
    );
  });

  it("aborts the upstream when it leaves", async () => {
    await using between = await start();
    between.upstream.script(
      { send: (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).write(line({ piece: "hel" })) },
      talk,
    );
    const answer = await openAnswer(between.proxy.url, hubBody(true));
    await answer.until("hel");
    answer.leave();
    await between.upstream.requests[0]?.aborted;
  });

  it("has its hooks see the events of the hub, and change them", async () => {
    await using between = await start({
      files: {
        "hooks/loud.ts": `import { defineHook } from "ccproxy/sdk";
export default defineHook({
  onEvent(event) { if (event.type === "content_block_delta" && event.delta.type === "text_delta") event.delta.text = event.delta.text.toUpperCase(); },
  postCall(reply, context) { context.annotate("said", reply.content.map((block) => block.text).join("")); },
});`,
      },
    });
    between.upstream.script(hello, talk);
    expect((await ask(between.proxy.url, hubBody(true))).text).toContain('"text":"HEL"');
    expect((await ask(between.proxy.url, hubBody(false))).json()).toMatchObject({ content: [{ text: "HELLO" }] });
    const answer = await ask(between.proxy.url, smallBody(true, "s"), small);
    expect(answer.text).toBe(line({ piece: "HEL" }) + line({ piece: "LO" }) + line({ over: [7, 2] }));
  });
});

describe("a client of another dialect", () => {
  it("is told a reply of the hub in its own form, streamed and whole", async () => {
    await using between = await start();
    between.upstream.script(textReply("hello", { input_tokens: 7, output_tokens: 2 }));
    const streamedAnswer = await ask(between.proxy.url, smallBody(true), small);
    expect(streamedAnswer.text).toMatch(/^data: \{"piece":"[^"]+"\}\n\n/);
    expect(streamedAnswer.text).toContain('data: {"over":[7,2]}\n\n');
    expect((await ask(between.proxy.url, smallBody(false), small)).json()).toEqual({ said: "hello", used: [7, 2] });
    const [request] = between.upstream.requests;
    expect(request?.json()).toEqual({ model: "a", max_tokens: 100, stream: true, messages });
    expect(request?.headers).toMatchObject({ "anthropic-version": "2023-06-01", "x-api-key": "sk-ant-deployment-key" });
    await between.proxy.stop(0);
    const records = (await between.proxy.logLines()).filter((entry) => entry["msg"] === "request");
    expect(records).toMatchObject([
      { inputTokens: 7, outputTokens: 2, outcome: "completed", modelAsked: "a" },
      { inputTokens: 7, outputTokens: 2, outcome: "completed" },
    ]);
  });

  it("exchanges bytes with an upstream of the same dialect: only the model is another", async () => {
    await using between = await start();
    between.upstream.script(hello, talk);
    const answer = await ask(between.proxy.url, '{ "mood":1.0, "name" : "s","say":5}', { path: "/small?x=1&key=secret" });
    expect(answer.text).toBe(line({ piece: "hel" }) + line({ piece: "lo" }) + line({ over: [7, 2] }));
    const [request] = between.upstream.requests;
    expect(request?.body.toString()).toBe('{ "mood":1.0, "name" : "m-1","say":5}');
    // A key in the address is the caller's own affair.
    expect(request?.url).toBe("/talk?x=1");
    const steps = await traceOf(between.proxy, answer);
    expect(steps.map(({ what }) => what)).not.toContain("translated");
  });

  it("reads the upstream's own errors there", async () => {
    await using between = await start();
    between.upstream.script(whole({ wrong: "slow down" }, 429), talk);
    const answer = await ask(between.proxy.url, smallBody(true, "s"), small);
    expect([answer.status, answer.text]).toEqual([429, '{"wrong":"slow down"}']);
  });

  it("goes by way of the hub where a hook changed its request", async () => {
    const hook =
      'import { defineHook } from "ccproxy/sdk";\nexport default defineHook({ preCall(request) { request.messages[0].content = "bye"; } });';
    await using between = await start({ files: { "hooks/bye.ts": hook } });
    between.upstream.script(hello, talk);
    await ask(between.proxy.url, smallBody(true, "s"), small);
    expect(between.upstream.requests[0]?.json()).toEqual({ name: "m-1", say: "bye", stream: true });
  });

  it("has rules ask about its translation", async () => {
    const rule =
      'import { defineRule, lastUserText } from "ccproxy/sdk";\nexport default defineRule({ label: "s", evaluate: (request) => lastUserText(request) === "hi" });';
    await using between = await start({ files: { "rules/hi.ts": rule } });
    between.upstream.script(hello, talk);
    const answer = await ask(between.proxy.url, smallBody(true, "a"), small);
    expect(answer.headers["x-ccproxy-label"]).toBe("s");
    expect(answer.text).toContain('{"piece":"hel"}');
  });

  it.each([
    ["an upstream's", errorReply(529, { message: "busy" }), 529, "busy"],
    ["a broken upstream's", typed("application/json", "no json"), 502, "cannot be translated"],
  ])("is told %s error in its own envelope", async (_, reply, status, message) => {
    await using between = await start();
    between.upstream.script(reply);
    const answer = await ask(between.proxy.url, smallBody(false), small);
    expect([answer.status, answer.json()]).toEqual([status, { wrong: expect.stringContaining(message) }]);
  });

  it("is told of a broken stream by its own error, once", async () => {
    await using between = await start();
    const head =
      'event: message_start\ndata: {"type":"message_start","message":{"type":"message","content":[],"usage":{"input_tokens":1}}}\n\n';
    const block =
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n';
    const delta =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hel"}}\n\n';
    between.upstream.script({
      send(response) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(head + block + delta, () => response.destroy());
      },
    });
    const answer = await ask(between.proxy.url, smallBody(true), small);
    expect(answer.text).toContain('{"piece":"hel"}');
    expect(answer.text.match(/"wrong"/g)).toHaveLength(1);
    expect(answer.end).toBe("clean");
  });

  it("is answered by mocks and hooks in its own form", async () => {
    const mock = { model_name: "mocked", litellm_params: { model: "small/x", mock_response: "two words" } };
    const hook =
      'import { defineHook, respond } from "ccproxy/sdk";\nexport default defineHook({ preCall(request) { if (request.model === "hooked") return respond("from a hook"); } });';
    await using between = await start({ config: { model_list: [mock] }, files: { "hooks/answer.ts": hook } });
    expect((await ask(between.proxy.url, smallBody(false, "mocked"), small)).json()).toMatchObject({ said: "two words" });
    expect((await ask(between.proxy.url, smallBody(true, "mocked"), small)).text).toContain('{"piece":"two"}');
    expect((await ask(between.proxy.url, smallBody(false, "hooked"), small)).json()).toMatchObject({ said: "from a hook" });
  });

  it("is refused what its own translation cannot read, and asked for counts here", async () => {
    await using between = await start();
    const refused = await ask(between.proxy.url, '{"name":"a","say":5}', small);
    expect([refused.status, refused.json()]).toEqual([400, { wrong: "say: wanted a text" }]);
    const counted = await ask(between.proxy.url, smallBody(false, "s"), { path: "/small/count" });
    expect(counted.json()).toEqual({ count: expect.any(Number) });
  });

  it("has its embeddings passed on as they are, to those who have them", async () => {
    await using between = await start();
    between.upstream.script(whole({ vectors: [[0.1]] }), "POST /embed");
    const answer = await ask(between.proxy.url, '{"name":"s", "texts":["a"]}', { path: "/small/embed" });
    expect(answer.text).toBe('{"vectors":[[0.1]]}');
    expect(between.upstream.requests[0]?.body.toString()).toBe('{"name":"m-1", "texts":["a"]}');
    const refused = await ask(between.proxy.url, '{"name":"a", "texts":["a"]}', { path: "/small/embed" });
    expect([refused.status, refused.json()]).toEqual([501, { wrong: expect.stringContaining("has no embeddings") }]);
  });
});

describe("a provider", () => {
  it("may sign by itself where the deployment has no key, with what it was given to send", async () => {
    const upstream = await startUpstream();
    await using proxy = await startProxy({
      config: { model_list: [{ model_name: "s", litellm_params: { model: "small/m-1", api_base: upstream.url, region: "here" } }] },
      environment: { SECRET: "shh" },
      plugins: [
        ...builtinPlugins,
        smallPlugin({
          async sign(outbound, { params }, variables) {
            const signature = `${outbound.body.length} ${String(params["region"])} ${String(variables("SECRET"))}`;
            return { ...outbound, headers: [...outbound.headers, ["x-signed", signature]] };
          },
        }),
      ],
    });
    upstream.script(hello, talk);
    expect((await ask(proxy.url, hubBody(true))).status).toBe(200);
    const [request] = upstream.requests;
    expect(request?.headers["x-signed"]).toBe(`${request?.body.length} here shh`);
    expect(request?.headers["x-small-key"]).toBeUndefined();
    await upstream.close();
  });

  it("unwraps what its host wraps streams in, for clients of the hub and of its own dialect", async () => {
    const unframe: Provider["unframe"] = (contentType) =>
      contentType === "application/x-frames"
        ? { push: (chunk) => Buffer.from(Buffer.from(chunk).toString().replaceAll("#", "")), end: () => new Uint8Array() }
        : undefined;
    await using between = await start({ provider: { unframe } });
    const framed = [line({ piece: "hel" }), line({ piece: "lo" }), line({ over: [7, 2] })].join("").split("").join("#");
    between.upstream.script(typed("application/x-frames", framed), talk);
    const answer = await ask(between.proxy.url, smallBody(true, "s"), small);
    expect(answer.headers["content-type"]).toContain("text/event-stream");
    expect(answer.text).toBe(framed.replaceAll("#", ""));
    expect((await ask(between.proxy.url, hubBody(true))).text).toContain("event: message_stop");
  });

  it("has its key in a variable, which nobody gets to see", async () => {
    const upstream = await startUpstream();
    await using proxy = await startProxy({
      config: { model_list: [{ model_name: "s", litellm_params: { model: "small/m-1", api_base: upstream.url } }] },
      environment: { SMALL_API_KEY: "small-key-of-the-environment" },
      plugins: [...builtinPlugins, smallPlugin()],
    });
    upstream.script(whole({ wrong: "unknown key small-key-of-the-environment" }, 401), talk);
    const answer = await ask(proxy.url, hubBody(true));
    expect(upstream.requests[0]?.headers["x-small-key"]).toBe("small-key-of-the-environment");
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain("small-key-of-the-environment");
    await upstream.close();
  });
});
