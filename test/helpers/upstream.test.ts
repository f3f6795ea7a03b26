import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { messageEvents, encodeEvent } from "./events.ts";
import { blocksReply, cutReply, errorReply, noReply, streamReply, textReply, toolUseReply } from "./replies.ts";
import { startUpstream, type Script, type Upstream } from "./upstream.ts";

const open: Upstream[] = [];
afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.close();
});

async function upstreamWith(script?: Script): Promise<Upstream> {
  const upstream = await startUpstream(script);
  open.push(upstream);
  return upstream;
}

function ask(upstream: Upstream, body: Readonly<Record<string, unknown>> = {}): Promise<Response> {
  return fetch(`${upstream.url}/v1/messages?beta=true`, {
    method: "POST",
    headers: { "content-type": "application/json", "X-Api-Key": "sk-test" },
    body: JSON.stringify({ model: "claude-opus-5-5", messages: [], ...body }),
  });
}

function eventNames(text: string): readonly string[] {
  return [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1] ?? "");
}

describe("the scripted upstream", () => {
  test("records the method, path, headers and body of each request", async () => {
    const upstream = await upstreamWith();
    await (await ask(upstream)).text();
    const request = upstream.requestsTo()[0];
    expect(request?.method).toBe("POST");
    expect(request?.url).toBe("/v1/messages?beta=true");
    expect(request?.headers["x-api-key"]).toBe("sk-test");
    expect(request?.rawHeaders).toContainEqual(["X-Api-Key", "sk-test"]);
    expect(request?.json()).toEqual({ model: "claude-opus-5-5", messages: [] });
    await request?.closed;
    expect(request?.isAborted).toBe(false);
  });

  test("a text reply takes the form that the request asked for", async () => {
    const upstream = await upstreamWith(textReply("two words", { input_tokens: 3, output_tokens: 2 }));
    expect(await (await ask(upstream)).json()).toMatchObject({
      type: "message",
      model: "claude-opus-5-5",
      content: [{ type: "text", text: "two words" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    const stream = await ask(upstream, { stream: true });
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    expect(eventNames(await stream.text())).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  test("a sequence is answered in order and its last reply repeats", async () => {
    const upstream = await upstreamWith([errorReply(529, { headers: { "retry-after": "0" } }), textReply("ok")]);
    const first = await ask(upstream);
    expect(first.status).toBe(529);
    expect(first.headers.get("retry-after")).toBe("0");
    expect(await first.json()).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    expect((await ask(upstream)).status).toBe(200);
    expect((await ask(upstream)).status).toBe(200);
  });

  test("tool calls carry their input in one object or in deltas", async () => {
    const upstream = await upstreamWith(toolUseReply({ name: "Bash", input: { command: "ls" }, id: "toolu_1" }, "looking"));
    expect(await (await ask(upstream)).json()).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "text" }, { type: "tool_use", id: "toolu_1", input: { command: "ls" } }],
    });
    const text = await (await ask(upstream, { stream: true })).text();
    const json = [...text.matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g)].map((match) => JSON.parse(match[1] ?? "") as string).join("");
    expect(JSON.parse(json)).toEqual({ command: "ls" });
  });

  test("thinking is followed by its signature", async () => {
    const upstream = await upstreamWith(blocksReply([{ type: "thinking", thinking: "hm", signature: "c2ln" }]));
    expect(await (await ask(upstream, { stream: true })).text()).toContain('{"type":"signature_delta","signature":"c2ln"}');
  });

  test.each(["event", "whole", "byte", 7] as const)("chunking %s sends the same bytes", async (chunking) => {
    const events = messageEvents({ model: "m", blocks: [{ type: "text", text: "grüße 👋" }] });
    const upstream = await upstreamWith(streamReply({ events, chunking }));
    expect(await (await ask(upstream)).text()).toBe(Buffer.concat(events.map(encodeEvent)).toString());
  });

  test("a cut by bytes ends within an event and the client sees a broken body", async () => {
    const upstream = await upstreamWith(streamReply({ cutAfter: { bytes: 30 } }));
    const response = await ask(upstream);
    await expect(response.text()).rejects.toThrow();
  });

  test("a cut that finishes ends the body properly but without the last event", async () => {
    const upstream = await upstreamWith(streamReply({ cutAfter: { events: 2 }, cut: "finish" }));
    expect(eventNames(await (await ask(upstream)).text())).toEqual(["message_start", "content_block_start"]);
  });

  test("an in-band error comes where the stream was cut", async () => {
    const upstream = await upstreamWith(streamReply({ cutAfter: { events: 1 }, error: { type: "overloaded_error", message: "busy" } }));
    expect(eventNames(await (await ask(upstream)).text())).toEqual(["message_start", "error"]);
  });

  test("a stalled stream goes on when it is released", async () => {
    const release = Promise.withResolvers<void>();
    const upstream = await upstreamWith(streamReply({ stallAfter: { bytes: 20 }, stallUntil: release.promise }));
    const reader = (await ask(upstream)).body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBe(20);
    release.resolve();
    let last = await reader?.read();
    while (last?.done === false) last = await reader?.read();
    await upstream.requests[0]?.closed;
    expect(upstream.requests[0]?.isAborted).toBe(false);
  });

  test("a client that leaves a stalled stream is seen as aborted", async () => {
    const upstream = await upstreamWith(streamReply({ stallAfter: { events: 1 } }));
    const abort = new AbortController();
    const arrived = upstream.nextRequest();
    await fetch(`${upstream.url}/v1/messages`, { method: "POST", body: "{}", signal: abort.signal });
    const request = await arrived;
    expect(upstream.openExchanges).toBe(1);
    abort.abort();
    await request.aborted;
    expect(request.isAborted).toBe(true);
    expect(upstream.openExchanges).toBe(0);
  });

  test("a silent upstream takes the request and a cut one ends the connection", async () => {
    const upstream = await upstreamWith([noReply(), cutReply("reset")]);
    const abort = new AbortController();
    const arrived = upstream.nextRequest();
    const silent = fetch(`${upstream.url}/v1/messages`, { method: "POST", body: "{}", signal: abort.signal });
    await arrived;
    abort.abort();
    await expect(silent).rejects.toThrow();
    await expect(ask(upstream)).rejects.toThrow();
  });

  test("gzip arrives event by event", async () => {
    const upstream = await upstreamWith(streamReply({ gzip: true, stallAfter: { events: 1 } }));
    const reader = (await ask(upstream)).body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain("message_start");
    await reader?.cancel();
    upstream.script(streamReply({ gzip: true }));
    const raw = httpRequest(`${upstream.url}/v1/messages`, { method: "POST" }).end("{}");
    const [response] = (await once(raw, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(eventNames(gunzipSync(Buffer.concat(chunks)).toString()).at(-1)).toBe("message_stop");
  });

  test("other routes of the API answer, unknown ones with 404", async () => {
    const upstream = await upstreamWith();
    expect((await fetch(`${upstream.url}/api/hello`, { method: "HEAD" })).status).toBe(200);
    expect(await (await fetch(`${upstream.url}/v1/models?limit=1000`)).json()).toMatchObject({ has_more: false });
    const counted = await fetch(`${upstream.url}/v1/messages/count_tokens`, { method: "POST", body: "{}" });
    expect(await counted.json()).toEqual({ input_tokens: 7 });
    expect((await fetch(`${upstream.url}/v1/files`)).status).toBe(404);
    upstream.script(textReply("any"), "*");
    expect((await fetch(`${upstream.url}/v1/files`)).status).toBe(200);
  });

  test("a script that throws is seen by the client as a failure of the upstream", async () => {
    const upstream = await upstreamWith(() => {
      throw new Error("no idea");
    });
    const response = await ask(upstream);
    expect(response.status).toBe(599);
    expect(await response.text()).toContain("no idea");
  });

  test("closing ends what is open", async () => {
    const upstream = await upstreamWith(streamReply({ stallAfter: { events: 1 } }));
    const response = await ask(upstream);
    await upstream.close();
    await expect(response.text()).rejects.toThrow();
  });
});
