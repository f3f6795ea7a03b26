/** The example plugin in a real proxy: as docs/plugins.md promises, a folder is enough for a protocol and for who speaks it. */

import { describe, expect, test } from "vitest";
import { hello } from "../examples/plugins/hello/index.ts";
import { builtinPlugins } from "../plugins/index.ts";
import { claudeCodeBody } from "./helpers/claude-body.ts";
import { cutReply, errorReply, jsonReply, rawReply, textReply, type Reply } from "./helpers/replies.ts";
import { type Proxy, startProxy } from "./helpers/proxy.ts";
import { startUpstream, type Upstream } from "./helpers/upstream.ts";

interface World extends AsyncDisposable {
  readonly proxy: Proxy;
  /** Speaks Hello at `/hello` and Anthropic Messages. */
  readonly upstream: Upstream;
  ask(path: string, body: unknown): Promise<{ status: number; text: string; headers: Headers }>;
}

const helloStream = rawReply((response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of [{ say: "Good " }, { say: "day." }, { bye: true, heard: 7, said: 3 }])
    response.write(`data: ${JSON.stringify(event)}\r\n\r\n`);
  response.end();
});

async function world(script: Reply): Promise<World> {
  const upstream = await startUpstream(textReply("Hello, too.", { input_tokens: 5, output_tokens: 4 }));
  upstream.script(script, "POST /hello");
  const model = (name: string, params: object): unknown => ({ model_name: name, litellm_params: { api_base: upstream.url, ...params } });
  const proxy = await startProxy({
    plugins: [...builtinPlugins, hello],
    environment: { HELLO_API_KEY: "hello-key" },
    config: {
      model_list: [model("polite", { model: "hello/parrot" }), model("claude-x", { model: "anthropic/claude-x", api_key: "sk-ant-key" })],
    },
  });
  return {
    proxy,
    upstream,
    async ask(path, body) {
      const response = await fetch(new URL(path, proxy.url), {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": "callers-own", "anthropic-version": "2023-06-01" },
        body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
      });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

function sent(upstream: Upstream): Record<string, unknown> {
  return upstream.requestsTo("/hello").at(-1)?.json() as Record<string, unknown>;
}

describe("a client of Anthropic's on a host that speaks Hello", () => {
  test("is answered in its own protocol, streamed", async () => {
    await using it = await world(helloStream);
    const { status, text } = await it.ask("/v1/messages", claudeCodeBody({ model: "polite", prompt: "Good morning!" }));
    expect(status).toBe(200);
    expect(text.match(/^event: .*/gm)).toEqual(
      [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
      ].map((name) => `event: ${name}`),
    );
    expect(text).toContain('"usage":{"input_tokens":7,"output_tokens":3');
    const body = sent(it.upstream);
    expect(body).toMatchObject({ to: "parrot", stream: true });
    expect(JSON.stringify(body["lines"])).toContain("Good morning!");
    const request = it.upstream.requestsTo("/hello").at(-1);
    expect(request?.headers["x-hello-key"]).toBe("hello-key");
    expect(JSON.stringify(request?.headers)).not.toContain("callers-own");
  });

  test("is answered in its own protocol, whole", async () => {
    await using it = await world(jsonReply({ say: "Good day.", heard: 7, said: 3 }));
    const { text } = await it.ask("/v1/messages", { model: "polite", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] });
    expect(JSON.parse(text)).toMatchObject({
      type: "message",
      content: [{ type: "text", text: "Good day." }],
      stop_reason: "end_turn",
      usage: { input_tokens: 7, output_tokens: 3 },
    });
    expect(sent(it.upstream)).toEqual({ to: "parrot", lines: [{ from: "them", say: "Hi" }] });
  });

  test("is told of errors in its own words", async () => {
    await using it = await world(errorReply(429, { message: "unused", headers: { "retry-after": "7" } }));
    it.upstream.script(jsonReply({ sorry: "not so fast" }, { status: 429, headers: { "retry-after": "7" } }), "POST /hello");
    const limited = await it.ask("/v1/messages", { model: "polite", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] });
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(JSON.parse(limited.text)).toMatchObject({
      type: "error",
      error: { type: "rate_limit_error", message: expect.stringContaining("not so fast") },
    });
    it.upstream.script(
      jsonReply(
        { sorry: "This model's maximum context length is 100 tokens. However, your messages resulted in 120 tokens." },
        { status: 400 },
      ),
      "POST /hello",
    );
    const long = await it.ask("/v1/messages", { model: "polite", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] });
    expect(JSON.parse(long.text).error.message).toBe("prompt is too long: 120 tokens > 100 maximum");
  });

  test("is not given half an answer for a whole one", async () => {
    const cut = rawReply(
      (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end('data: {"say":"Good "}\n\n'),
    );
    await using it = await world(cut);
    const { text } = await it.ask("/v1/messages", {
      model: "polite",
      max_tokens: 10,
      stream: true,
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(text).toMatch(/event: error\n[^]*ended before it was complete/);
    expect(text).not.toContain("message_stop");
    it.upstream.script(cutReply(), "POST /hello");
    expect((await it.ask("/v1/messages", { model: "polite", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] })).status).toBe(
      502,
    );
  });
});

describe("a client of Hello", () => {
  const question = {
    to: "claude-x",
    lines: [
      { from: "them", say: "Hi" },
      { from: "me", say: "Hello." },
      { from: "them", say: "How are you?" },
    ],
  };

  test("is answered by a host of Anthropic's, whole and streamed", async () => {
    await using it = await world(helloStream);
    const whole = await it.ask("/hello", question);
    expect(JSON.parse(whole.text)).toEqual({ say: "Hello, too.", heard: 5, said: 4 });
    const request = it.upstream.requestsTo("/v1/messages").at(-1)?.json();
    expect(request).toMatchObject({
      model: "claude-x",
      messages: [
        // Marked for the cache on their way.
        { role: "user", content: [{ text: "Hi" }] },
        { role: "assistant", content: "Hello." },
        { role: "user", content: [{ text: "How are you?" }] },
      ],
    });
    const streamed = await it.ask("/hello", { ...question, stream: true });
    const events = streamed.text
      .split("\n\n")
      .filter((event) => event.startsWith("data: "))
      .map((event): unknown => JSON.parse(event.slice("data: ".length)));
    expect(events.at(-1)).toEqual({ bye: true, heard: 5, said: 4 });
    expect(
      events
        .slice(0, -1)
        .map((event) => (event as { say: string }).say)
        .join(""),
    ).toBe("Hello, too.");
  });

  test("is passed on as it is to a host of Hello's: nobody writes its bytes anew", async () => {
    await using it = await world(helloStream);
    const bytes = Buffer.from('{ "to":"polite",\n  "lines":[{"from":"them","say":"Hi","tone":0.70}] , "stream":true}');
    const { text } = await it.ask("/hello", bytes);
    expect(it.upstream.requestsTo("/hello").at(-1)?.body.toString()).toBe(bytes.toString().replace("polite", "parrot"));
    expect(text).toContain('data: {"say":"Good "}\r\n\r\n');
  });

  test("is told what is wrong with its request", async () => {
    await using it = await world(helloStream);
    const { status, text } = await it.ask("/hello", { to: "claude-x", lines: [{ from: "them" }] });
    expect([status, JSON.parse(text)]).toEqual([400, { sorry: "lines[0].say: wanted a text" }]);
    expect((await it.ask("/hello", { to: "nobody", lines: [{ from: "them", say: "Hi" }] })).text).toMatch(/^\{"sorry":/);
    expect(it.upstream.requests).toEqual([]);
  });
});
