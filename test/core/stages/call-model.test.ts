import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, dial, rawPost } from "../../helpers/client.ts";
import { recordsOf, statusOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { errorReply, noReply, textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream, type UpstreamRequest } from "../../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(async () => void (upstream = await startUpstream()));
afterEach(() => upstream.close());

const asking = `import { defineHook } from "ccproxy/sdk";
export default defineHook({
  async preCall(request, { callModel, annotate }) {
    try {
      const { text } = await callModel({ model: "small", messages: [{ role: "user", content: "sum up" }], system: "be brief", max_tokens: 7 });
      request.system = text;
    } catch (error) {
      annotate("failed", error.message);
    }
  },
});
`;

const start = (grants: readonly string[], files = { "my/ask.ts": asking }): Promise<Proxy> =>
  startProxy({
    config: { model_list: ["plain", "small"].map((label) => deployment(label, upstream.url)) },
    ccproxy: { hooks: [{ hook: "./my/ask.ts", grants }] },
    files,
  });

const body = JSON.stringify({ model: "plain", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
const model = (request: UpstreamRequest): unknown => (request.json() as Record<string, unknown>)["model"];

describe("a model that a hook calls", () => {
  it("answers the hook; hooks do not run for it, and the log has a record of both", async () => {
    upstream.script((request) => textReply(model(request) === "small" ? "a summary" : "hello"));
    await using proxy = await start(["callModel:small"]);
    const answer = await ask(proxy.url, body, { headers: { "x-app": "cli" } });
    expect(answer.text).toContain("hello");
    expect(upstream.requests.map((request): unknown => request.json())).toEqual([
      { model: "small", max_tokens: 7, system: "be brief", messages: [{ role: "user", content: "sum up" }] },
      { ...JSON.parse(body), system: "a summary" },
    ]);
    expect(upstream.requests[0]?.headers).toMatchObject({ "x-api-key": "sk-ant-deployment-key", "content-type": "application/json" });
    const id = answer.headers["x-ccproxy-request-id"];
    expect((await statusOf(proxy)).last).toMatchObject({ requestId: id, modelServed: "plain" });
    const records = await recordsOf(proxy);
    expect(records).toMatchObject([
      { madeFor: id, modelServed: "small", status: 200, outcome: "completed", inputTokens: expect.any(Number) },
      { requestId: id, modelServed: "plain", status: 200, outcome: "completed" },
    ]);
  });

  it("is one that the grant names", async () => {
    await using proxy = await start(["callModel:plain"]);
    await ask(proxy.url, body);
    expect(upstream.requests.map(model)).toEqual(["plain"]);
    expect((await recordsOf(proxy))[0]?.["annotations"]).toMatchObject({ failed: expect.stringContaining("callModel") });
  });

  it("that fails is an error the hook may catch, without the upstream's own words", async () => {
    upstream.script((request) => (model(request) === "small" ? errorReply(500, { message: "with a secret in it" }) : textReply("hello")));
    await using proxy = await start(["callModel:small"]);
    expect((await ask(proxy.url, body)).status).toBe(200);
    expect((await statusOf(proxy)).openExchanges).toBe(0);
    const [nested, record] = await recordsOf(proxy);
    expect(record?.["annotations"]).toEqual({ failed: 'The upstream of "small" answered 500.' });
    expect(nested).toMatchObject({ status: 500, outcome: "upstream-failed" });
  });

  it("is given up when the client of the request leaves", async () => {
    upstream.script(noReply());
    await using proxy = await start(["callModel:small"]);
    const arrived = upstream.nextRequest();
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, body));
    const request = await arrived;
    expect(model(request)).toBe("small");
    connection.socket.destroy();
    await request.aborted;
    await untilIdle(proxy);
    expect((await recordsOf(proxy)).map(({ outcome }) => outcome)).toEqual(["client-gone", "client-gone"]);
  });
});
