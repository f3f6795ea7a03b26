/** Anthropic's own SDK for TypeScript against a running proxy: what its users would notice. */

import Anthropic, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { errorReply, jsonReply, noReply, streamReply, textReply, toolUseReply, type Reply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const model = "claude-sonnet-5-5";
const request: Anthropic.MessageCreateParamsNonStreaming = {
  model,
  max_tokens: 100,
  messages: [{ role: "user", content: "Say hello." }],
};

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream();
  // Errors are to look as they do without the proxy, so that it makes no attempts of its own.
  const once = { num_retries: 0 };
  const entries = [deployment(model, upstream.url, once), deployment("gemini-flash", upstream.url, once)];
  proxy = await startProxy({ config: { model_list: entries } });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

function createClient(options: { readonly maxRetries?: number; readonly baseURL?: string } = {}): Anthropic {
  return new Anthropic({ apiKey: "sk-ant-of-the-caller", baseURL: options.baseURL ?? proxy.url, maxRetries: options.maxRetries ?? 0 });
}

describe("messages", () => {
  it("a plain request gets its message", async () => {
    const message = await createClient().messages.create(request);
    expect(message.content).toEqual([{ type: "text", text: "hello" }]);
    expect(message.stop_reason).toBe("end_turn");
    expect(message._request_id).toMatch(/^req_scripted_/);
  });

  it("the deployment's key goes upstream, the caller's stays here", async () => {
    await createClient().messages.create(request);
    const [sent] = upstream.requestsTo();
    expect(sent?.headers["x-api-key"]).toBe("sk-ant-deployment-key");
    expect(JSON.stringify(sent?.rawHeaders)).not.toContain("sk-ant-of-the-caller");
  });

  it("the stream helper gives the events in the order of the wire, and the whole message", async () => {
    const text = "a text long enough for several deltas, with 🦊 and ünïcode";
    upstream.script(streamReply({ text }));
    const stream = createClient().messages.stream(request);
    const types: string[] = [];
    const deltas: string[] = [];
    stream.on("streamEvent", (event) => types.push(event.type)).on("text", (delta) => deltas.push(delta));
    const message = await stream.finalMessage();
    expect(message.content).toEqual([{ type: "text", text }]);
    expect(deltas.join("")).toBe(text);
    expect(deltas.length).toBeGreaterThan(2);
    expect(types).toEqual([
      "message_start",
      "content_block_start",
      ...deltas.map(() => "content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(stream.request_id).toMatch(/^req_scripted_/);
  });

  it("a streamed tool call arrives with its input", async () => {
    upstream.script(toolUseReply({ name: "look_up", input: { city: "Köln", days: [1, 2, 3] } }, "one moment"));
    const message = await createClient().messages.stream(request).finalMessage();
    expect(message.content).toMatchObject([
      { type: "text", text: "one moment" },
      { type: "tool_use", name: "look_up", input: { city: "Köln", days: [1, 2, 3] } },
    ]);
    expect(message.stop_reason).toBe("tool_use");
  });

  it("a stream is readable event by event while the upstream is still at it", async () => {
    const resume = Promise.withResolvers<void>();
    upstream.script(streamReply({ text: "first half, second half", stallAfter: { events: 4 }, stallUntil: resume.promise }));
    const seen: string[] = [];
    for await (const event of await createClient().messages.create({ ...request, stream: true })) {
      seen.push(event.type);
      // Would never come if the proxy waited for the end.
      if (event.type === "content_block_delta") resume.resolve();
    }
    expect(seen.at(-1)).toBe("message_stop");
  });
});

describe("abort", () => {
  it("leaving a stream in the middle ends it at the upstream", async () => {
    upstream.script(streamReply({ text: "a text that stops half-way", stallAfter: { events: 4 } }));
    const stream = createClient().messages.stream(request);
    const arrived = upstream.nextRequest();
    const firstText = stream.emitted("text");
    const end = stream.done();
    await firstText;
    stream.abort();
    await expect(end).rejects.toBeInstanceOf(APIUserAbortError);
    await (
      await arrived
    ).aborted;
    expect(upstream.openExchanges).toBe(0);
  });

  it("leaving before the reply has begun ends it at the upstream", async () => {
    upstream.script(noReply());
    const controller = new AbortController();
    const arrived = upstream.nextRequest();
    const reply = createClient().messages.create(request, { signal: controller.signal });
    const ended = expect(reply).rejects.toBeInstanceOf(APIUserAbortError);
    const sent = await arrived;
    controller.abort();
    await ended;
    await sent.aborted;
  });

  it("the proxy serves on after a caller left", async () => {
    upstream.script([streamReply({ stallAfter: { events: 4 } }), textReply("still here")]);
    const arrived = upstream.nextRequest();
    const stream = await createClient().messages.create({ ...request, stream: true });
    stream.controller.abort();
    await (
      await arrived
    ).aborted;
    const message = await createClient().messages.create(request);
    expect(message.content).toEqual([{ type: "text", text: "still here" }]);
  });
});

describe("retries are the SDK's own", () => {
  const soon = { "retry-after-ms": "1" };

  it.each([429, 500, 529])("a passing %i is retried and then answered", async (status) => {
    upstream.script([errorReply(status, { headers: soon }), textReply("after all")]);
    const message = await createClient({ maxRetries: 2 }).messages.create(request);
    expect(message.content).toEqual([{ type: "text", text: "after all" }]);
    expect(retryCounts()).toEqual(["0", "1"]);
  });

  it.each([500, 529])("a lasting %i is tried as often as the SDK says, not more", async (status) => {
    upstream.script(errorReply(status, { headers: soon }));
    await expect(createClient({ maxRetries: 2 }).messages.create(request)).rejects.toBeInstanceOf(InternalServerError);
    expect(retryCounts()).toEqual(["0", "1", "2"]);
  });

  it("a lasting 500 that the proxy has tried often enough is not tried again by the SDK", async () => {
    upstream.script(errorReply(500, { headers: soon }));
    await using trying = await startProxy({ config: { model_list: [deployment(model, upstream.url)] } });
    const client = createClient({ maxRetries: 2, baseURL: trying.url });
    await expect(client.messages.create(request)).rejects.toBeInstanceOf(InternalServerError);
    expect(retryCounts()).toEqual(["0", "0", "0"]);
  });

  it("x-should-retry: false is respected", async () => {
    upstream.script(errorReply(529, { headers: { ...soon, "x-should-retry": "false" } }));
    await expect(createClient({ maxRetries: 2 }).messages.create(request)).rejects.toMatchObject({ status: 529 });
    expect(retryCounts()).toEqual(["0"]);
  });

  it("x-should-retry: true makes a 400 be tried again", async () => {
    upstream.script([errorReply(400, { headers: { ...soon, "x-should-retry": "true" } }), textReply("after all")]);
    await expect(createClient({ maxRetries: 2 }).messages.create(request)).resolves.toMatchObject({ type: "message" });
    expect(retryCounts()).toEqual(["0", "1"]);
  });

  function retryCounts(): readonly (string | undefined)[] {
    return upstream.requestsTo().map((sent) => sent.headers["x-stainless-retry-count"]);
  }
});

describe("errors of the upstream", () => {
  it.each([
    [400, BadRequestError],
    [401, AuthenticationError],
    [403, PermissionDeniedError],
    [404, NotFoundError],
    [413, APIError],
    [429, RateLimitError],
    [500, InternalServerError],
    [529, InternalServerError],
  ])("%i looks as it does without the proxy", async (status, errorClass) => {
    upstream.script(scriptedError(status));
    const direct = await failureOf(createClient({ baseURL: upstream.url }));
    const proxied = await failureOf(createClient());
    expect(proxied).toBeInstanceOf(errorClass);
    expect(proxied.constructor).toBe(direct.constructor);
    expect(proxied.status).toBe(status);
    expect(proxied.error).toEqual(direct.error);
    expect(proxied.message).toBe(direct.message);
    expect(proxied.requestID).toBe("req_of_the_upstream");
    expect(endToEnd(proxied)).toEqual(endToEnd(direct));
    expect(endToEnd(proxied)).toMatchObject({ "retry-after": "17", "anthropic-ratelimit-requests-remaining": "0" });
  });

  it("an error of a streaming request is an error too, before any event", async () => {
    upstream.script(scriptedError(529));
    const stream = createClient().messages.stream(request);
    await expect(stream.finalMessage()).rejects.toMatchObject({ status: 529, requestID: "req_of_the_upstream" });
  });

  function scriptedError(status: number): Reply {
    const body = `{"type":"error", "error":{"type":"scripted_error","message":"prompt is too long: 2 > 1 ☂"},"request_id":"req_of_the_upstream"}\n`;
    return jsonReply(body, {
      status,
      headers: { "request-id": "req_of_the_upstream", "retry-after": "17", "anthropic-ratelimit-requests-remaining": "0" },
    });
  }

  async function failureOf(client: Anthropic): Promise<APIError> {
    const failure: unknown = await client.messages.create(request).then(
      () => new Error("the request succeeded"),
      (error: unknown) => error,
    );
    if (!(failure instanceof APIError)) throw failure;
    return failure;
  }

  /** Without what belongs to one connection, and what the proxy adds under its own name. */
  function endToEnd(error: APIError): Record<string, string> {
    const own = new Set(["connection", "keep-alive", "date", "transfer-encoding"]);
    return Object.fromEntries(
      [...(error.headers ?? [])].filter(([name]) => !own.has(name) && !name.startsWith("x-ccproxy-") && !name.startsWith("x-litellm-")),
    );
  }
});

describe("a stream that fails on the way", () => {
  it("the upstream's error event is raised with its type", async () => {
    upstream.script(streamReply({ cutAfter: { events: 4 }, error: { type: "overloaded_error", message: "Overloaded" } }));
    const failure = await createClient()
      .messages.stream(request)
      .finalMessage()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ type: "overloaded_error", apiMessage: "Overloaded" });
  });

  it.each(["close", "reset", "finish"] as const)("a body that ends too early (%s) is an error, not a short answer", async (cut) => {
    upstream.script(streamReply({ text: "a text that is cut half-way", cutAfter: { events: 5 }, cut }));
    const stream = createClient().messages.stream(request);
    const texts: string[] = [];
    stream.on("text", (text) => texts.push(text));
    const failure = await stream.finalMessage().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ type: "api_error" });
    expect(texts.join("")).not.toBe("");
  });

  it("a body that ends within an event is an error that says so, not a fault of parsing", async () => {
    upstream.script(streamReply({ text: "a text that is cut half-way", cutAfter: { bytes: 700 } }));
    const failure = await createClient()
      .messages.stream(request)
      .finalMessage()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(APIError);
    // The half event cannot be taken back; what counts is that the reason arrives with it.
    expect(String(failure)).toContain(`${upstream.url} broke off in the middle of its answer`);
  });
});

describe("the other endpoints", () => {
  const text = "The quick brown fox jumps over the lazy dog. ".repeat(50);

  it("count_tokens is the upstream's where it has it", async () => {
    const counted = await createClient().messages.countTokens({ model, messages: [{ role: "user", content: text }] });
    expect(counted.input_tokens).toBe(7);
    expect(upstream.requestsTo("/v1/messages/count_tokens")).toHaveLength(1);
  });

  it.each([404, 501])("count_tokens is counted here when the upstream answers %i", async (status) => {
    upstream.script(errorReply(status), "POST /v1/messages/count_tokens");
    const client = createClient();
    const counted = await client.messages.countTokens({ model, messages: [{ role: "user", content: text }] });
    // Fifty sentences of nine words and a full stop, each of which is one to one and a half tokens.
    expect(counted.input_tokens).toBeGreaterThan(450);
    expect(counted.input_tokens).toBeLessThan(750);
    const withSystem = await client.messages.countTokens({ model, system: text, messages: [{ role: "user", content: text }] });
    expect(withSystem.input_tokens).toBeGreaterThan(counted.input_tokens + 450);
  });

  it("another failure of count_tokens is the upstream's", async () => {
    upstream.script(errorReply(429, { message: "slow down" }), "POST /v1/messages/count_tokens");
    const counting = createClient().messages.countTokens({ model, messages: [{ role: "user", content: text }] });
    await expect(counting).rejects.toMatchObject({ status: 429, apiMessage: "slow down" });
  });

  it("models.list shows every group, and under a name that Claude Code accepts", async () => {
    const listed: string[] = [];
    for await (const entry of createClient().models.list()) listed.push(entry.id);
    expect(listed).toEqual([model, "gemini-flash", "claude-gemini-flash"]);
    upstream.script(textReply("from the alias"));
    await createClient().messages.create({ ...request, model: "claude-gemini-flash" });
    expect(upstream.requestsTo().at(-1)?.json()).toMatchObject({ model: "gemini-flash" });
  });
});
