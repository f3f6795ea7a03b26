import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask } from "../helpers/client.ts";
import { recordsOf, untilIdle } from "../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { errorReply, streamReply, textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const prompt = "the-prompt-nobody-may-log";
const answerText = "the-answer-nobody-may-log";
const usage = { input_tokens: 21, output_tokens: 34, cache_read_input_tokens: 55, cache_creation_input_tokens: 89 };

const bodyWith = (more: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ model: "m", max_tokens: 5, system: prompt, messages: [{ role: "user", content: prompt }], ...more });

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream(textReply(answerText, usage));
  proxy = await startProxy({
    config: {
      model_list: [deployment("m", upstream.url), { ...(deployment("think", upstream.url) as object), model_info: { id: "dep-think" } }],
    },
    ccproxy: { rules: [{ name: "think", rule: "ccproxy.rules.ThinkingRule" }], log: { level: "debug" } },
  });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

describe("the record of a request", () => {
  it.each([true, false])("tells label, models, deployment, status, tokens and time (stream: %s)", async (stream) => {
    const body = bodyWith({ stream, thinking: { type: "enabled", budget_tokens: 1024 } });
    const answer = await ask(proxy.url, body, { headers: { "user-agent": "claude-cli/3.0", "x-claude-code-session-id": "session-1" } });
    await untilIdle(proxy);
    const [record, ...more] = await recordsOf(proxy);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      level: "info",
      requestId: answer.headers["x-ccproxy-request-id"],
      path: "/v1/messages",
      client: "claude-code",
      session: "session-1",
      caller: "anonymous",
      label: "think",
      modelAsked: "m",
      modelServed: "think",
      deployment: "dep-think",
      status: 200,
      outcome: "completed",
      attempts: 1,
      inputTokens: 21,
      outputTokens: 34,
      cacheReadTokens: 55,
      cacheWriteTokens: 89,
      snapshot: 1,
      ms: expect.any(Number),
      firstByteMs: expect.any(Number),
    });
    expect(Number(record?.["firstByteMs"])).toBeLessThanOrEqual(Number(record?.["ms"]));
  });

  it("of a refusal by the upstream tells its status", async () => {
    upstream.script(errorReply(529));
    await ask(proxy.url, bodyWith({}));
    await untilIdle(proxy);
    expect(await recordsOf(proxy)).toMatchObject([{ status: 529, outcome: "completed", modelServed: "m" }]);
  });

  it("is written in the order in which exchanges end, each with its own id", async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask(proxy.url, bodyWith({}))));
    await untilIdle(proxy);
    const records = await recordsOf(proxy);
    expect([records.length, new Set(records.map(({ requestId }) => requestId)).size]).toEqual([20, 20]);
  });
});

describe("the log", () => {
  it("never holds a prompt or an answer, whatever goes wrong", async () => {
    const broken = bodyWith({}).slice(0, -1);
    await ask(proxy.url, bodyWith({ stream: true }));
    await ask(proxy.url, broken);
    await ask(proxy.url, `{"model":"m","messages":["${prompt}\\q"]}`);
    await ask(proxy.url, bodyWith({ model: 7 }));
    await ask(proxy.url, bodyWith({ model: "nobody" }));
    await ask(proxy.url, bodyWith({}), { headers: { "content-type": "text/plain" } });
    await ask(proxy.url, bodyWith({}), { path: "/v1/nowhere" });
    upstream.script(streamReply({ text: answerText, cutAfter: { events: 4 } }));
    await ask(proxy.url, bodyWith({ stream: true }));
    upstream.script(errorReply(400, { message: `messages.0: ${prompt}` }));
    await ask(proxy.url, bodyWith({}));
    await untilIdle(proxy);
    await proxy.stop(0);
    const log = await proxy.logText();
    expect(log).toContain("upstream-failed");
    expect(log).not.toContain(prompt);
    expect(log).not.toContain(answerText);
  });
});

describe("the trace of a request", () => {
  it("tells each step that was taken", async () => {
    const answer = await ask(proxy.url, bodyWith({ thinking: { type: "enabled", budget_tokens: 1024 } }));
    const id = String(answer.headers["x-ccproxy-request-id"]);
    await untilIdle(proxy);
    const trace = await ask(proxy.url, undefined, {
      method: "GET",
      path: `/ccproxy/traces/${id}`,
      headers: { "x-ccproxy-token": proxy.controlToken },
    });
    const { steps } = trace.json() as { steps: { stage: string; what: string; us: number }[] };
    expect(steps.map(({ stage, what }) => `${stage}: ${what}`)).toEqual([
      "ingress: received",
      "rules: matched",
      "router: planned",
      "call: sending",
      "call: answered",
      "ledger: settled",
      "ingress: completed",
    ]);
    expect(steps.map(({ us }) => us)).toEqual(steps.map(({ us }) => us).toSorted((a, b) => a - b));
    expect(trace.text).not.toContain(prompt);
  });
});
