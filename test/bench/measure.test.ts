import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { plainReply, requestBody, streamedReply } from "../../bench/bodies.ts";
import { Connection, encodeRequest } from "../../bench/client.ts";
import { measureHeld } from "../../bench/held.ts";
import { measureScenario, type Effort, type Scenario } from "../../bench/measure.ts";
import { directLane, startBenchUpstream, type BenchUpstream, type RunningLane } from "../../bench/running.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const effort: Effort = { rounds: 2, sliceMs: 5000, requestsPerSlice: 6, warmUp: 0 };
const scenario: Scenario = { size: "50k", form: "stream", concurrency: 2 };
let upstream: BenchUpstream;
const servers: Server[] = [];

beforeAll(async () => {
  upstream = await startBenchUpstream(root);
});
afterAll(() => upstream.stop());
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A lane that relays bytes to the upstream, changed on the way as the test likes. */
async function relay(
  name: string,
  change: { request?: (data: Buffer) => Buffer; reply?: (data: Buffer) => Buffer | undefined },
): Promise<RunningLane> {
  const server = createServer((client: Socket) => {
    const upward = connect(upstream.port, "127.0.0.1");
    client.on("data", (data: Buffer) => upward.write(change.request?.(data) ?? data));
    upward.on("data", (data: Buffer) => {
      const changed = change.reply === undefined ? data : change.reply(data);
      if (changed === undefined) client.destroy();
      else client.write(changed);
    });
    for (const socket of [client, upward]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upward.destroy();
      });
    }
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { ...directLane(upstream), name, port: address.port };
}

describe("the bench", () => {
  test("its client and its upstream agree on bodies and replies, streamed and plain", async () => {
    const connection = new Connection(upstream.port);
    const before = await upstream.stats();
    for (const [dialect, path] of [
      ["anthropic", "/v1/messages"],
      ["openai-chat", "/v1/chat/completions"],
    ] as const) {
      for (const [form, expected] of [
        ["stream", Buffer.concat(streamedReply(dialect))],
        ["plain", plainReply(dialect)],
      ] as const) {
        await upstream.mode(form);
        for (const size of ["50k", "1m"] as const) {
          const request = encodeRequest({ port: upstream.port, path, body: requestBody(size, form, dialect) });
          const reply = await connection.send(request, { expected, keepBody: true });
          expect(reply.status).toBe(200);
          expect(reply.isExact).toBe(true);
          expect(reply.body.equals(expected)).toBe(true);
        }
      }
    }
    connection.close();
    const after = await upstream.stats();
    expect(after.requests - before.requests).toBe(8);
    expect(after.changedBodies).toBe(before.changedBodies);
  });

  test("counts the requests of every lane and says that their bytes were kept", async () => {
    const result = await measureScenario(scenario, [directLane(upstream), await relay("relay", {})], effort);
    expect(result.lanes.map(({ lane, failure }) => [lane, failure])).toEqual([
      ["direct", undefined],
      ["relay", undefined],
    ]);
    expect(result.lanes[1]?.requests).toBe(12);
    expect(result.lanes[1]?.keepsRequestBytes).toBe(true);
    expect(result.lanes[1]?.addedP50Ms).toBeTypeOf("number");
    expect(result.lanes[0]?.addedP50Ms).toBeUndefined();
  });

  test("a lane that alters the request is found out", async () => {
    const altered = await relay("altered", {
      request: (data) => Buffer.from(data.toString("latin1").replace('"role":"user"', '"role":"USER"'), "latin1"),
    });
    const result = await measureScenario(scenario, [directLane(upstream), altered], effort);
    expect(result.lanes[1]?.keepsRequestBytes).toBe(false);
  });

  test("a lane that cuts its replies off is reported as failed, not measured", async () => {
    const cut = await relay("cut", { reply: (data) => (data.includes("message_stop") ? undefined : data) });
    const result = await measureScenario(scenario, [directLane(upstream), cut], effort);
    expect(result.lanes[1]?.requests).toBe(0);
    expect(result.lanes[1]?.failure).toContain("broke off");
  });

  test("a lane that drops the end of the stream but ends the body cleanly is reported as failed", async () => {
    const swallowed = await relay("swallowed", {
      reply: (data) => Buffer.from(data.toString("latin1").replace("event: message_stop", "event: message_stap"), "latin1"),
    });
    const result = await measureScenario(scenario, [directLane(upstream), swallowed], effort);
    expect(result.lanes[1]?.requests).toBe(0);
    expect(result.lanes[1]?.failure).toContain("does not end as it should");
  });

  test("held streams stay open, get an event each second and end whole", async () => {
    const held = await measureHeld({ ...directLane(upstream), idleRssMb: 0 }, 20, 1500);
    expect(held.broken).toBe(0);
    expect(held.failure).toBeUndefined();
    expect(held.longestSilenceMs).toBeGreaterThan(0);
  });
});
