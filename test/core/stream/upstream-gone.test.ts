import { afterEach, beforeEach, describe, expect, it } from "vitest";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { startBlackHole } from "../../helpers/black-hole.ts";
import { ask, openAnswer } from "../../helpers/client.ts";
import { recordsOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import {
  cutReply,
  errorReply,
  jsonReply,
  noReply,
  rawReply,
  streamReply,
  type Cut,
  type StreamReplyOptions,
} from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const request = { model: "m", max_tokens: 5, messages: [{ role: "user" as const, content: "hi" }] };
const body = JSON.stringify({ ...request, stream: true });

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream();
  const limits = { timeout: 600, connect_timeout: 10 };
  proxy = await startProxy({
    config: {
      model_list: [
        deployment("m", upstream.url, limits),
        deployment("hasty", upstream.url, { headers_timeout: 0.05, idle_timeout: 0.05, connect_timeout: 0.05 }),
      ],
    },
  });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

const sdk = (): Anthropic => new Anthropic({ apiKey: "none", baseURL: proxy.url, maxRetries: 0, logLevel: "off" });

/** What the vendor's client makes of a stream: its event types, and the error at its end. */
async function readBySdk(model = "m"): Promise<{ readonly types: readonly string[]; readonly error: unknown }> {
  const types: string[] = [];
  try {
    for await (const event of await sdk().messages.create({ ...request, model, stream: true })) types.push(event.type);
  } catch (error) {
    return { types, error };
  }
  return { types, error: undefined };
}

async function expectOutcome(outcome: string, status: number): Promise<void> {
  await untilIdle(proxy);
  expect(await recordsOf(proxy)).toEqual([expect.objectContaining({ outcome, status })]);
}

describe("an upstream that leaves", () => {
  it.each(["close", "reset"] as const)("before its headers (%s) is a 502 in the vendor's envelope", async (cut) => {
    upstream.script(cutReply(cut));
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.headers["content-type"]]).toEqual([502, "application/json"]);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "api_error", message: expect.stringContaining(upstream.url) } });
    await expectOutcome("upstream-failed", 502);
  });

  const cuts: readonly Cut[] = ["finish", "close", "reset"];
  const places: readonly (readonly [string, StreamReplyOptions["cutAfter"], number])[] = [
    ["before its first event", { events: 0 }, 0],
    ["between two events", { events: 4 }, 3],
    ["in the middle of an event", { bytes: 700 }, 2],
    ["before message_stop", { events: 7 }, 6],
  ];
  it.each(places.flatMap(([name, cutAfter, seen]) => cuts.map((cut) => [name, cut, cutAfter, seen] as const)))(
    "%s (%s) is an error the vendor's client knows, after what came",
    async (_, cut, cutAfter, seen) => {
      upstream.script(streamReply({ text: "hello, hello, hello, hello", cut, ...(cutAfter === undefined ? {} : { cutAfter }) }));
      const { types, error } = await readBySdk();
      expect(error).toBeInstanceOf(APIError);
      expect(error).toMatchObject({ type: "api_error" });
      expect(types).not.toContain("message_stop");
      // Pings are skipped by the client.
      expect(types.length).toBeGreaterThanOrEqual(Math.min(seen, 1));
      await expectOutcome("upstream-failed", 200);
    },
  );

  it.each(["close", "reset"] as const)("in the middle of a plain reply (%s) is an error, not half a reply", async (how) => {
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"id":', () => (how === "close" ? response.socket?.destroy() : response.socket?.resetAndDestroy()));
      }),
    );
    const answer = await ask(proxy.url, body.replace('"stream":true', '"stream":false'));
    expect(answer).toMatchObject({ status: 502, end: "clean" });
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
    await expectOutcome("upstream-failed", 502);
  });

  it("in the middle of a plain reply that is too long to be held is no clean end", async () => {
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": String(64 * 1024 * 1024) });
        response.write(`{"id":"${"a".repeat(16 * 1024 * 1024)}`, () => response.socket?.destroy());
      }),
    );
    const answer = await openAnswer(proxy.url, body.replace('"stream":true', '"stream":false'));
    expect(await answer.ended).toBe("broken");
    await expectOutcome("upstream-failed", 200);
  });
});

describe("an error of the upstream", () => {
  it("within the stream is passed on once, byte by byte, and recorded", async () => {
    upstream.script(streamReply({ cutAfter: { events: 3 }, error: { type: "overloaded_error", message: "Overloaded" } }));
    const { error } = await readBySdk();
    expect(error).toMatchObject({ type: "overloaded_error" });
    const { text } = await ask(proxy.url, body);
    expect(text.split("event: error")).toHaveLength(2);
    await untilIdle(proxy);
    expect((await recordsOf(proxy)).map(({ outcome, error: of }) => [outcome, of])).toEqual([
      ["upstream-failed", "overloaded_error"],
      ["upstream-failed", "overloaded_error"],
    ]);
  });

  it.each([400, 401, 403, 404, 413, 429, 500, 529])("with status %d arrives as it is", async (status) => {
    const text = `{"type":"error", "error":{"type":"x_error","message":"é\\u00e9 ${status}"},"more":1.0}`;
    upstream.script(jsonReply(text, { status, headers: { "retry-after": "7", "x-should-retry": "false", "request-id": "req_up" } }));
    const answer = await ask(proxy.url, body);
    expect([
      answer.status,
      answer.text,
      answer.headers["retry-after"],
      answer.headers["x-should-retry"],
      answer.headers["request-id"],
    ]).toEqual([status, text, "7", "false", "req_up"]);
  });

  it.each(["stays", "closes"])("that comes before the request was read is passed on, when the upstream then %s", async (how) => {
    const headers = how === "closes" ? { connection: "close" } : {};
    await using early = await startUpstream(errorReply(413, { headers }), { readBody: false });
    await using other = await startProxy({ config: { model_list: [deployment("m", early.url)] } });
    const large = JSON.stringify({ ...request, system: "x".repeat(8 * 1024 * 1024) });
    const answer = await ask(other.url, large);
    expect([answer.status, answer.json()]).toMatchObject([413, { error: { type: "request_too_large" } }]);
  });
});

describe("a time limit", () => {
  it("for the headers is a 504 that says so", async () => {
    upstream.script(noReply());
    const answer = await ask(proxy.url, body.replace('"m"', '"hasty"'));
    expect([answer.status, answer.json()]).toMatchObject([
      504,
      { error: { message: expect.stringContaining("did not begin to answer within 0.05 s") } },
    ]);
    await upstream.requests[0]?.aborted;
    await expectOutcome("upstream-failed", 504);
  });

  it("for a silence ends the stream with an error that says so", async () => {
    upstream.script(streamReply({ stallAfter: { events: 2 } }));
    const { error } = await readBySdk("hasty");
    expect(error).toMatchObject({ type: "api_error", message: expect.stringContaining("sent nothing for 0.05 s") });
    await upstream.requests[0]?.aborted;
    await expectOutcome("upstream-failed", 200);
  });

  it("for connecting is a 504 that says so", async () => {
    await using hole = await startBlackHole();
    await using other = await startProxy({ config: { model_list: [deployment("m", hole.url, { connect_timeout: 0.05 })] } });
    const answer = await ask(other.url, body);
    expect([answer.status, answer.json()]).toMatchObject([
      504,
      { error: { message: expect.stringContaining("could not be reached within 0.05 s") } },
    ]);
  });

  it("is not reached by a stream that drips slower than all of it", async () => {
    upstream.script(streamReply({ text: "x".repeat(400), chunking: 3 }));
    const { types, error } = await readBySdk("hasty");
    expect([types.at(-1), error]).toEqual(["message_stop", undefined]);
  });
});

describe("an answer that is none", () => {
  it.each(["text/html; charset=utf-8", "text/plain"])("200 with %s is a 502 that shows how it begins", async (type) => {
    upstream.script(jsonReply("<html>Sign in to the network</html>", { headers: { "content-type": type } }));
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.json()]).toMatchObject([502, { error: { message: expect.stringContaining("Sign in to the") } }]);
  });

  it("early hints before the answer do not reach the client", async () => {
    upstream.script(
      rawReply(async (response, incoming) => {
        response.writeEarlyHints({ link: "</style.css>; rel=preload" });
        await streamReply().send(response, incoming);
      }),
    );
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.text.includes("message_stop"), answer.headers["link"]]).toEqual([200, true, undefined]);
  });
});
