import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, type Answer } from "../../helpers/client.ts";
import { recordsOf, statusOf, traceOf } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy, type ProxyOptions } from "../../helpers/proxy.ts";
import { textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream(textReply("from the model"));
  upstream.script(textReply("counted"), "POST /v1/messages/count_tokens");
});
afterEach(() => upstream.close());

/** @param hooks file → members of `defineHook({ … })` */
function start(hooks: Readonly<Record<string, string>>, more: ProxyOptions = {}): Promise<Proxy> {
  const files = Object.entries(hooks).map(([name, members]) => [
    name,
    `import { defineHook, deny, respond } from "ccproxy/sdk";\nexport default defineHook({\n${members}\n});\n`,
  ]);
  const config = { model_list: ["plain", "other"].map((label) => deployment(label, upstream.url)) };
  return startProxy({ config, ...more, files: Object.fromEntries(files) });
}

const request = { model: "plain", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
const say = (proxy: Proxy, more: Readonly<Record<string, unknown>> = {}, path = "/v1/messages"): Promise<Answer> =>
  ask(proxy.url, JSON.stringify({ ...request, ...more }), { path });
const sent = (): Record<string, unknown> => upstream.requests.at(-1)?.json() as Record<string, unknown>;

describe("preCall", () => {
  it("changes only what it touches, byte for byte", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request) { request.system = "be brief"; request.messages[1].content = "changed"; }`,
    });
    const body =
      '{"model": "plain",\n "system":"x","messages": [ {"role":"user","content":"\\u0061"}, {"role": "user", "content": "b"} ],  "n": 1.0}';
    const answer = await ask(proxy.url, body);
    expect(answer.status).toBe(200);
    expect(upstream.requests[0]?.body.toString()).toBe(body.replace('"x"', '"be brief"').replace('"b"', '"changed"'));
    expect(await traceOf(proxy, answer)).toContainEqual(
      expect.objectContaining({
        stage: "hooks",
        what: "changed",
        detail: { file: "hooks/a.ts", phase: "preCall", us: expect.any(Number), changed: ["system", "messages[1].content"] },
      }),
    );
  });

  it("of the next hook sees what the one before it changed, in the facts too", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request) { request.messages.push({ role: "user", content: "from a" }); request.model = "other"; }`,
      "hooks/b.ts": `preCall(request, { facts }) { request.metadata = { seen: [request.messages.at(-1).content, facts.messageCount, facts.model] }; }`,
      "hooks/c.ts": `preCall(request) { request.metadata.seen.push("c"); }`,
    });
    const answer = await say(proxy);
    expect(sent()["metadata"]).toEqual({ seen: ["from a", 2, "other", "c"] });
    expect(answer.headers["x-ccproxy-model"]).toBe("other");
  });

  it("that changes the model decides where the request goes; record and trace know what was asked", async () => {
    await using proxy = await start({ "hooks/a.ts": `preCall(request) { request.model = "other"; }` });
    const answer = await say(proxy);
    expect(answer.headers["x-ccproxy-model"]).toBe("other");
    expect(await traceOf(proxy, answer)).toContainEqual(
      expect.objectContaining({
        stage: "hooks",
        what: "another model is asked for",
        detail: { file: "hooks/a.ts", from: "plain", to: "other" },
      }),
    );
    expect((await recordsOf(proxy))[0]).toMatchObject({ modelAsked: "plain", modelServed: "other" });
  });

  it("stands before or behind the rules as the list says", async () => {
    const hook = `preCall(request, { label, annotate }) { request.thinking = { type: "enabled", budget_tokens: 1024 }; annotate("label", label ?? "none"); }`;
    const rules = [{ name: "other", rule: "ccproxy.rules.ThinkingRule" }];
    const list = ["./hooks/a.ts", "ccproxy.hooks.rule_evaluator", "ccproxy.hooks.model_router"];
    for (const [hooks, label] of [
      [list, "other"],
      [[list[1], list[0], list[2]], "default"],
    ] as const) {
      await using proxy = await start({ "hooks/a.ts": hook }, { ccproxy: { hooks, rules } });
      expect((await say(proxy)).headers["x-ccproxy-label"]).toBe(label);
    }
    // The label is known to a hook behind the rules.
    const thinking = { thinking: { type: "enabled", budget_tokens: 2048 } };
    await using proxy = await start({ "hooks/a.ts": hook }, { ccproxy: { hooks: [list[1], list[0], list[2]], rules } });
    await say(proxy, thinking);
    expect((await recordsOf(proxy))[0]).toMatchObject({ annotations: { label: "other" } });
  });

  it("takes the params and grants of its entry", async () => {
    await using proxy = await start(
      {
        "my/tag.ts": `preCall(request, { params, env }) { request.metadata = { user_id: params.tenant + env.PLACE + String(env.SECRET) }; }`,
      },
      {
        ccproxy: { hooks: [{ hook: "my.tag.default", params: { tenant: "acme" }, grants: ["env:PLACE"] }] },
        environment: { PLACE: "somewhere-quiet", SECRET: "hush" },
      },
    );
    await say(proxy);
    expect(sent()["metadata"]).toEqual({ user_id: "acmesomewhere-quietundefined" });
    expect((await statusOf(proxy)).userCode.units).toMatchObject([
      { kind: "hook", file: "my/tag.ts", reference: "my.tag.default", origin: "configured", grants: ["env:PLACE"], phases: ["preCall"] },
    ]);
  });

  it("keeps state for a session and locals for a request", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request, { state, locals }) {
        state.set("count", (state.get("count") ?? 0) + 1);
        locals.set("mine", state.get("count"));
      },
      preUpstream(request, { locals, state }) { request.metadata = { ...request.metadata, seen: [locals.get("mine"), state.get("count")] }; }`,
    });
    const session = (id: string) => ({ metadata: { user_id: `user_x_account_y_session_${id}` } });
    const one = "11111111-1111-4111-8111-111111111111";
    const two = "22222222-2222-4222-8222-222222222222";
    const seen: unknown[] = [];
    for (const id of [one, one, two, one]) {
      await say(proxy, session(id));
      seen.push((sent()["metadata"] as Record<string, unknown>)["seen"]);
    }
    expect(seen).toEqual([
      [1, 1],
      [2, 2],
      [1, 1],
      [3, 3],
    ]);
  });

  it("runs for counts of tokens, too", async () => {
    await using proxy = await start({ "hooks/a.ts": `preCall(request, { operation }) { request.system = operation; }` });
    await say(proxy, {}, "/v1/messages/count_tokens");
    expect(sent()["system"]).toBe("count_tokens");
  });
});

describe("headers", () => {
  it("of a hook go upstream, replace those of the client, and are seen by the next hook", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request, { headers }) { headers.set("X-Tenant", "acme"); headers.delete("x-app"); }`,
      "hooks/b.ts": `preCall(request, { headers }) { request.system = [headers.get("x-tenant"), headers.get("x-app"), headers.has("x-app")].join(); }`,
    });
    await ask(proxy.url, JSON.stringify(request), { headers: { "x-app": "cli", "anthropic-beta": "one" } });
    expect(sent()["system"]).toBe("acme,,false");
    expect(upstream.requests[0]?.headers).toMatchObject({
      "x-tenant": "acme",
      "anthropic-beta": "one",
      "x-api-key": "sk-ant-deployment-key",
    });
    expect(upstream.requests[0]?.headers).not.toHaveProperty("x-app");
  });

  it("that carry a credential are not seen and cannot be set", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request, { headers }) { request.system = headers.keys().join(); }`,
      "hooks/b.ts": `preCall(request, { headers }) {
        const tried = ["authorization", "x-api-key", "cookie", "host", "content-length", "connection", "x-ccproxy-token"].filter((name) => {
          try { headers.set(name, "evil"); return true; } catch { return false; }
        });
        request.metadata = { tried };
      }`,
    });
    await ask(proxy.url, JSON.stringify(request), {
      headers: { authorization: "Bearer of-the-caller", cookie: "a=b", "x-vault-token": "hush", "x-app": "cli" },
    });
    expect(sent()["system"]).toBe("content-type,x-app");
    expect(sent()["metadata"]).toEqual({ tried: [] });
    expect(JSON.stringify(upstream.requests[0]?.headers)).not.toContain("evil");
    // Not seen is not stopped: it goes where the client sent it.
    expect(upstream.requests).toHaveLength(1);
  });
});

describe("respond and deny", () => {
  it("answer in place of a model, as JSON and as a stream", async () => {
    await using proxy = await start({ "hooks/a.ts": `preCall() { return respond("from the hook"); }` });
    const plain = await say(proxy);
    expect(plain.json()).toMatchObject({ type: "message", content: [{ type: "text", text: "from the hook" }], stop_reason: "end_turn" });
    const streamed = await say(proxy, { stream: true });
    expect(streamed.headers["content-type"]).toContain("text/event-stream");
    expect(streamed.text).toContain("from the hook");
    expect(streamed.text).toContain("event: message_stop");
    expect((await say(proxy, {}, "/v1/messages/count_tokens")).json()).toMatchObject({ input_tokens: expect.any(Number) });
    expect(upstream.requests).toEqual([]);
    expect(await traceOf(proxy, plain)).toContainEqual(expect.objectContaining({ what: "responded" }));
  });

  it("with a tool call needs the grant for it", async () => {
    const hook = `preCall() { return respond({ content: [{ type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } }] }); }`;
    await using refused = await start({ "my/a.ts": hook }, { ccproxy: { hooks: ["./my/a.ts"] } });
    expect((await say(refused)).text).toContain("from the model");
    const failed = (await refused.stop(0), await refused.logLines()).find(({ msg }) => String(msg).startsWith("a hook failed"));
    expect(failed?.["reason"]).toContain('content[0]: a tool call in a reply needs the grant "reply:tools"');
    await using granted = await start({ "my/a.ts": hook }, { ccproxy: { hooks: [{ hook: "./my/a.ts", grants: ["reply:tools"] }] } });
    expect((await say(granted)).json()).toMatchObject({ content: [{ type: "tool_use", name: "Bash" }], stop_reason: "tool_use" });
  });

  it("refuse with the status and the words of the hook, and no other hook runs", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall() { return deny(403, "not on a Sunday"); }`,
      "hooks/b.ts": `preCall(request, { annotate }) { annotate("b", true); }`,
    });
    const answer = await say(proxy);
    expect([answer.status, answer.json()]).toMatchObject([
      403,
      { type: "error", error: { type: "permission_error", message: "not on a Sunday" } },
    ]);
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(upstream.requests).toEqual([]);
    const [record] = await recordsOf(proxy);
    expect(record).toMatchObject({ status: 403, outcome: "refused" });
    expect(record).not.toHaveProperty("annotations");
  });
});

describe("a hook that fails", () => {
  const throwing = `\npreCall(request) {\n  request.system = "half";\n  throw new Error("boom");\n}`;

  it("is skipped, and nothing of what it changed stays", async () => {
    await using proxy = await start({ "hooks/a.ts": throwing, "hooks/b.ts": `preCall(request) { request.metadata = { b: 1 }; }` });
    expect((await say(proxy)).status).toBe(200);
    expect(sent()).toEqual({ ...request, metadata: { b: 1 } });
    await proxy.stop(0);
    expect((await proxy.logLines()).find(({ msg }) => String(msg).startsWith("a hook failed"))).toMatchObject({
      level: "warn",
      file: "hooks/a.ts",
      position: "hooks/a.ts:6:9",
      frame: expect.stringContaining('throw new Error("boom");'),
      policy: "the request went on without it",
    });
  });

  it("refuses the request when it is required, by the file or by its entry", async () => {
    await using byFile = await start({ "hooks/a.ts": `required: true,${throwing}` });
    await using byEntry = await start({ "my/a.ts": throwing }, { ccproxy: { hooks: [{ hook: "./my/a.ts", required: true }] } });
    await using released = await start(
      { "my/a.ts": `required: true,${throwing}` },
      { ccproxy: { hooks: [{ hook: "./my/a.ts", required: false }] } },
    );
    for (const [proxy, file] of [
      [byFile, "hooks/a.ts"],
      [byEntry, "my/a.ts"],
    ] as const) {
      const answer = await say(proxy);
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([503, "false"]);
      expect(answer.text).toContain(`The hook ${file} threw an error at ${file}:6:9. It is required`);
      expect(answer.text).not.toContain("boom");
    }
    expect((await say(released)).status).toBe(200);
  });

  it("by a change that cannot be made is skipped: the whole of what it returned is void", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request, { annotate }) { annotate("a", 1); request.model = "m".repeat(501); request.system = "x"; }`,
    });
    const answer = await say(proxy);
    expect(answer.status).toBe(200);
    expect(sent()).toEqual(request);
    const [record] = await recordsOf(proxy);
    expect(record).not.toHaveProperty("annotations");
  });

  it("by never coming back is killed; the request goes on, and so do those beside it", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preCall(request) { if (request.system === "loop") for (;;); }`,
      "hooks/b.ts": `preCall(request) { request.metadata = { b: 1 }; }`,
    });
    const answers = await Promise.all([say(proxy, { system: "loop" }), ...Array.from({ length: 10 }, () => say(proxy))]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(upstream.requests.map((received) => (received.json() as Record<string, unknown>)["metadata"])).toEqual(
      answers.map(() => ({ b: 1 })),
    );
  });
});

describe("preUpstream", () => {
  it("sees target and model of the attempt; what it changes is for the attempt only", async () => {
    await using proxy = await start(
      {
        "hooks/a.ts": `preUpstream(request, { target, headers, annotate }) {
        annotate("saw", [request.model, target.deployment !== "", target.group, target.model, target.provider]);
        request.system = "for the attempt";
        headers.set("x-attempt", "1");
      },
      onComplete(completion, { facts, annotate }) {}`,
      },
      { config: { model_list: [deployment("plain", upstream.url, { model: "anthropic/claude-real" })] } },
    );
    const answer = await say(proxy);
    expect(sent()).toEqual({ ...request, model: "claude-real", system: "for the attempt" });
    expect(upstream.requests[0]?.headers["x-attempt"]).toBe("1");
    expect(answer.headers["x-ccproxy-model"]).toBe("claude-real");
    expect((await recordsOf(proxy))[0]).toMatchObject({
      modelAsked: "plain",
      annotations: { saw: ["claude-real", true, "plain", "claude-real", "anthropic"] },
    });
  });

  it("may ask for another model of the same upstream", async () => {
    await using proxy = await start({ "hooks/a.ts": `preUpstream(request) { request.model = "claude-other"; }` });
    await say(proxy);
    expect(sent()["model"]).toBe("claude-other");
  });

  it("may refuse, or answer in place of the upstream", async () => {
    await using proxy = await start({
      "hooks/a.ts": `preUpstream(request, { target }) { return target.group === "plain" ? deny(429, "later") : respond("instead"); }`,
    });
    expect((await say(proxy)).status).toBe(429);
    expect((await say(proxy, { model: "other" })).json()).toMatchObject({ content: [{ text: "instead" }] });
    expect(upstream.requests).toEqual([]);
  });
});
