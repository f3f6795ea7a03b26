import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, type ClientOptions } from "../../helpers/client.ts";
import { statusOf } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy, type ProxyOptions } from "../../helpers/proxy.ts";
import { errorReply, jsonReply, noReply, rawReply, textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const key = "sk-ant-deployment-key";
const bodyFor = (model: string): string => JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });

interface Endpoint {
  readonly model: string;
  readonly model_id: string;
  readonly model_name: string;
  readonly api_base?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly status_code?: number;
  readonly cooldown_seconds?: number;
  readonly last_check?: string;
}

interface Report {
  readonly healthy_endpoints: readonly Endpoint[];
  readonly unhealthy_endpoints: readonly Endpoint[];
  readonly unknown_endpoints: readonly Endpoint[];
  readonly healthy_count: number;
  readonly unhealthy_count: number;
  readonly unknown_count: number;
}

let upstream: Upstream;
let proxy: Proxy;

beforeEach(async () => void (upstream = await startUpstream()));
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

/** `info` of an entry, and the rest of its parameters. */
type Entry = readonly [group: string, params?: Readonly<Record<string, unknown>>, info?: Readonly<Record<string, unknown>>];

function entry([group, params, info]: Entry): unknown {
  const made = deployment(group, upstream.url, params);
  return { ...Object(made), model_info: { id: group, ...info } };
}

async function start(
  entries: readonly Entry[],
  settings: Readonly<Record<string, unknown>> = {},
  options: ProxyOptions = {},
): Promise<void> {
  const { model_list: more = [], ...rest } = settings;
  proxy = await startProxy({ ...options, config: { model_list: [...entries.map(entry), ...(Array.isArray(more) ? more : [])], ...rest } });
}

async function health(query = "", options: ClientOptions = {}): Promise<Report> {
  const answer = await ask(proxy.url, undefined, { ...options, method: "GET", path: `/health${query}` });
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect(answer.text).not.toContain(key);
  const report: Report = JSON.parse(answer.text);
  return report;
}

const counts = ({ healthy_count, unhealthy_count, unknown_count }: Report): readonly number[] => [
  healthy_count,
  unhealthy_count,
  unknown_count,
];
const ids = (endpoints: readonly Endpoint[]): readonly string[] => endpoints.map(({ model_id: id }) => id);

describe("GET /health", () => {
  it("tells what became of requests, asks nobody, and says what it does not know", async () => {
    await start([["good"], ["bad"], ["idle"]]);
    expect(counts(await health())).toEqual([0, 0, 3]);
    upstream.script((request) => (request.body.includes('"bad"') ? errorReply(503, { message: "down" }) : textReply("hello")));
    await ask(proxy.url, bodyFor("good"));
    await ask(proxy.url, JSON.stringify({ ...JSON.parse(bodyFor("bad")), num_retries: 0 }));
    const report = await health();
    expect(report).toEqual({
      healthy_endpoints: [{ model: "anthropic/good", model_id: "good", model_name: "good", api_base: upstream.url }],
      unhealthy_endpoints: [
        {
          model: "anthropic/bad",
          model_id: "bad",
          model_name: "bad",
          api_base: upstream.url,
          error: expect.stringContaining("down"),
          status_code: 503,
        },
      ],
      unknown_endpoints: [
        {
          model: "anthropic/idle",
          model_id: "idle",
          model_name: "idle",
          api_base: upstream.url,
          reason: "it was neither asked nor used lately",
        },
      ],
      healthy_count: 1,
      unhealthy_count: 1,
      unknown_count: 1,
    });
    expect(upstream.requestsTo()).toHaveLength(2);
  });

  it("is not told worse by requests that were at fault themselves, nor by a caller's own login", async () => {
    await start([["m"], ["own", { api_key: undefined, forward_client_auth: true }]]);
    upstream.script(errorReply(400));
    await ask(proxy.url, bodyFor("m"));
    upstream.script(errorReply(401));
    await ask(proxy.url, bodyFor("own"), { headers: { "x-api-key": "sk-ant-api03-of-a-caller" } });
    expect(counts(await health())).toEqual([0, 0, 2]);
  });

  it("counts what is out of use as unhealthy, with the time that is left", async () => {
    await start([["m"]]);
    upstream.script(errorReply(401));
    await ask(proxy.url, bodyFor("m"));
    const [found] = (await health()).unhealthy_endpoints;
    expect(found).toMatchObject({ model_id: "m", status_code: 401, cooldown_seconds: expect.any(Number) });
    const { deployments } = await statusOf(proxy);
    expect(deployments).toMatchObject([
      { id: "m", state: "cooled", cooldown: { scope: "account", status: 401 }, inFlight: 0, minute: { failures: 1 }, lastCheck: null },
    ]);
  });

  it("hides what it is told to hide", async () => {
    await start([["m"]], { general_settings: { health_check_details: false } });
    upstream.script(errorReply(500, { message: "secret address" }));
    expect((await health("?live=true")).unhealthy_endpoints).toEqual([{ model: "anthropic/m", model_id: "m", model_name: "m" }]);
  });

  it("never shows a key, whatever an upstream says", async () => {
    await start([["m"]]);
    upstream.script(errorReply(500, { message: `what is ${key}?` }));
    const { unhealthy_endpoints: found } = await health("?live=true");
    expect(found[0]?.error).toContain("what is ");
  });

  it("of one group or deployment tells of these only, and of none that is not configured that there is none", async () => {
    await start([["one"], ["two"], ["any-*", { model: "anthropic/*" }]]);
    expect(ids((await health("?model=one")).unknown_endpoints)).toEqual(["one"]);
    expect(ids((await health("?model_id=two")).unknown_endpoints)).toEqual(["two"]);
    expect(ids((await health("?model=any-model")).unknown_endpoints)).toEqual(["any-*"]);
    expect(counts(await health("?live=true&model=one"))).toEqual([1, 0, 0]);
    expect(upstream.requestsTo()).toHaveLength(1);
    for (const query of ["?model=other", "?model_id=claude-opus-4-5", "?model=one&model=two"]) {
      const answer = await ask(proxy.url, undefined, { method: "GET", path: `/health${query}` });
      expect([answer.status, answer.text]).toEqual([404, expect.stringContaining("is not in model_list, which has one, two")]);
    }
  });
});

describe("GET /health?live=true", () => {
  it("asks with the smallest request, with the deployment's key, past hooks, logs and sessions", async () => {
    const hook =
      'import { defineHook } from "ccproxy/sdk"; export default defineHook({ preUpstream(request) { request.system = "from a hook"; } });';
    await start([["m"]], {}, { files: { "hooks/all.ts": hook }, ccproxy: { hooks: [] } });
    const secret = "sk-ant-api03-of-a-caller";
    expect(counts(await health("?live=true", { headers: { authorization: `Bearer ${secret}`, "x-api-key": secret } }))).toEqual([1, 0, 0]);
    const [request] = upstream.requestsTo();
    expect(request?.json()).toEqual({ model: "m", max_tokens: 1, messages: [{ role: "user", content: "hi" }] });
    expect(request?.headers["x-api-key"]).toBe(key);
    expect(JSON.stringify(request?.rawHeaders)).not.toContain(secret);
    const { last, openExchanges } = await statusOf(proxy);
    expect([last, openExchanges]).toEqual([null, 0]);
    await ask(proxy.url, bodyFor("m"));
    expect(upstream.requestsTo()[1]?.json()).toMatchObject({ system: "from a hook" });
    await proxy.stop(0);
    expect((await proxy.logLines()).filter(({ msg }) => msg === "request")).toHaveLength(1);
  });

  it("asks for what the deployment says, on its own protocol", async () => {
    await start([
      [
        "any/*",
        { model: "openai/*", api_base: `${upstream.url}/v1` },
        { health_check_model: "openai/gpt-5.5-mini", health_check_max_tokens: 16 },
      ],
    ]);
    const choice = { index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "length" };
    upstream.script(
      jsonReply({ id: "c", object: "chat.completion", model: "gpt-5.5-mini", choices: [choice] }),
      "POST /v1/chat/completions",
    );
    expect(counts(await health("?live=true"))).toEqual([1, 0, 0]);
    expect(upstream.requestsTo("/v1/chat/completions")[0]?.json()).toMatchObject({ model: "gpt-5.5-mini", messages: [{ role: "user" }] });
    expect(upstream.requestsTo("/v1/chat/completions")[0]?.body.toString()).toMatch(/"max_(completion_)?tokens":16/);
  });

  it("does not ask who cannot be asked, and says why", async () => {
    const mock = { model_name: "mock", litellm_params: { model: "anthropic/mock", mock_response: "hi" }, model_info: { id: "mock" } };
    const own = { model_name: "own", litellm_params: { model: "anthropic/claude-haiku-5-5" }, model_info: { id: "own" } };
    await start(
      [
        ["embed", {}, { mode: "embedding" }],
        ["any-*", { model: "anthropic/*" }],
      ],
      { model_list: [mock, own] },
    );
    const report = await health("?live=true");
    expect(ids(report.healthy_endpoints)).toEqual(["mock"]);
    expect(Object.fromEntries(report.unknown_endpoints.map(({ model_id: id, reason }) => [id, reason]))).toEqual({
      embed: expect.stringContaining('mode is "embedding"'),
      "any-*": expect.stringContaining("health_check_model"),
      own: expect.stringContaining("caller's own login"),
    });
    expect(upstream.requests).toEqual([]);
  });

  it("takes a complaint about the one token that was asked for as a sign of life", async () => {
    await start([["m"]]);
    upstream.script(errorReply(400, { message: "Could not finish the message because max_tokens or model output limit was reached." }));
    expect(counts(await health("?live=true"))).toEqual([1, 0, 0]);
    upstream.script(errorReply(400, { message: "unknown model" }));
    expect(counts(await health("?live=true"))).toEqual([0, 1, 0]);
  });

  it("finds out who does not answer in time, who is not there, and who answers something else", async () => {
    await start([
      ["slow", {}, { health_check_timeout: 0.05 }],
      ["gone", { api_base: "http://127.0.0.1:9" }],
      ["strange", { api_base: `${upstream.url}/page` }],
    ]);
    upstream.script(noReply());
    upstream.script(
      rawReply((response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>")),
      "POST /page/v1/messages",
    );
    const { unhealthy_endpoints: found } = await health("?live=true");
    expect(found.map(({ model_id: id, status_code: status }) => [id, status])).toEqual([
      ["slow", 408],
      ["gone", undefined],
      ["strange", 502],
    ]);
    expect(found[0]?.error).toBe("no answer within 0.05 s");
    await upstream.requestsTo()[0]?.aborted;
  });

  it("asks once for all who want to know at the same time", async () => {
    await start([["m"]]);
    const goAhead = Promise.withResolvers<void>();
    upstream.script(async () => {
      await goAhead.promise;
      return textReply("hello");
    });
    const arrived = upstream.nextRequest();
    const reports = Promise.all([health("?live=true"), health("?live=true"), health("?live=true")]);
    await arrived;
    // Answered, so that the other two have been asked for, too.
    await health();
    goAhead.resolve();
    expect((await reports).map(counts)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    expect(upstream.requestsTo()).toHaveLength(1);
  });

  it("keeps requests away from who failed, where health decides about routing, until it answers again", async () => {
    const group = (id: string, base: string): unknown => ({ ...Object(deployment("g", base)), model_info: { id } });
    const other = await startUpstream(errorReply(500));
    await start([], {
      model_list: [group("sick", other.url), group("well", upstream.url)],
      general_settings: { enable_health_check_routing: true },
      router_settings: { disable_cooldowns: true },
    });
    expect(counts(await health("?live=true"))).toEqual([1, 1, 0]);
    for (let count = 0; count < 20; count++) expect((await ask(proxy.url, bodyFor("g"))).status).toBe(200);
    expect(other.requestsTo()).toHaveLength(1);
    other.script(textReply("well again"));
    expect(counts(await health("?live=true"))).toEqual([2, 0, 0]);
    while (other.requestsTo().length < 3) await ask(proxy.url, bodyFor("g"));
    await other.close();
  });
});

describe("background checks", () => {
  it("ask every deployment again and again, and stop with the proxy", async () => {
    await start([["a"], ["b"], ["off", {}, { disable_background_health_check: true }]], {
      general_settings: { background_health_checks: true, health_check_interval: 0.1 },
    });
    const asked = (model: string): number => upstream.requestsTo().filter((request) => request.body.includes(`"${model}"`)).length;
    while (asked("a") < 2 || asked("b") < 2) await upstream.nextRequest();
    const report = await health();
    expect([counts(report), asked("off")]).toEqual([[2, 0, 1], 0]);
    expect(report.healthy_endpoints[0]?.last_check).toMatch(/^\d{4}-.*Z$/);
    await proxy.stop(0);
    expect((await proxy.logLines()).filter(({ msg }) => msg === "request")).toEqual([]);
  });
});

it("background checks begin with the reload that asks for them", async () => {
  await start([["m"]]);
  await proxy.writeConfig({ model_list: [entry(["m"])], general_settings: { background_health_checks: true, health_check_interval: 0.1 } });
  await proxy.reload();
  await upstream.nextRequest();
});

it("GET /health/readiness and liveness tell what a probe of LiteLLM reads", async () => {
  await start([]);
  const probe = async (path: string): Promise<unknown> => (await ask(proxy.url, undefined, { method: "GET", path })).json();
  expect(await probe("/health/readiness")).toEqual({
    status: "ready",
    snapshot: 1,
    db: "connected",
    litellm_version: expect.any(String),
  });
  expect([await probe("/health/liveliness"), await probe("/health/liveness")]).toEqual([{ status: "alive" }, { status: "alive" }]);
});
