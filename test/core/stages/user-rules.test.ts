import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, type Answer } from "../../helpers/client.ts";
import { recordsOf, statusOf, traceOf } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy, type ProxyOptions } from "../../helpers/proxy.ts";
import { jsonReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(async () => void (upstream = await startUpstream(jsonReply({ ok: true }))));
afterEach(() => upstream.close());

const labels = ["vip", "long", "vision", "chosen", "default", "plain"];

function start(files: Readonly<Record<string, string>>, more: ProxyOptions = {}): Promise<Proxy> {
  return startProxy({ config: { model_list: labels.map((label) => deployment(label, upstream.url)) }, files, ...more });
}

function say(proxy: Proxy, text: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  return ask(proxy.url, JSON.stringify({ model: "plain", max_tokens: 5, messages: [{ role: "user", content: text }], ...more }));
}

const labelOf = async (answer: Promise<Answer>): Promise<unknown> => (await answer).headers["x-ccproxy-label"];

const byText = (word: string, options = ""): string => `
  import { defineRule } from "ccproxy/sdk";
  export default defineRule({ ${options} evaluate: (request) => JSON.stringify(request.messages.at(-1)).includes(${JSON.stringify(word)}) });
`;

describe("a rule in a file of the user's", () => {
  it("routes a request when the file is there: label by the file's name, body untouched", async () => {
    await using proxy = await start({ "rules/vip.ts": byText("urgent") });
    const body = '{ "model":"plain", "max_tokens":5,  "messages":[{"role":"user","content":"this is urgent"}] }';
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.headers["x-ccproxy-label"]]).toEqual([200, "vip"]);
    expect(upstream.requests[0]?.body.toString()).toBe(body.replace('"plain"', '"vip"'));
    expect(await labelOf(say(proxy, "no haste"))).toBe("default");
    expect(await traceOf(proxy, answer)).toContainEqual({
      stage: "rules",
      what: "matched",
      detail: { file: "rules/vip.ts", phase: "rule", label: "vip", us: expect.any(Number) },
      us: expect.any(Number),
    });
    expect((await statusOf(proxy)).userCode.units).toMatchObject([
      { kind: "rule", file: "rules/vip.ts", origin: "autoloaded", label: "vip", phases: ["rule"] },
    ]);
  });

  it("may name its label itself, or return one, wait, and ask the facts", async () => {
    await using proxy = await start({
      "rules/a.ts": byText("urgent", 'label: "vip",'),
      "rules/b.ts": `import { defineRule } from "ccproxy/sdk";
        export default defineRule(async (request, params, { facts }) => { await null; return facts.hasImage ? "vision" : null; });`,
      "rules/c.ts": `import { defineRule } from "ccproxy/sdk";
        export default defineRule((request, params, { facts, headers }) => facts.messageCount > 2 && headers.get("x-kind"));`,
    });
    const image = [{ role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "" } }] }];
    expect(await labelOf(say(proxy, "urgent"))).toBe("vip");
    expect(await labelOf(say(proxy, "", { messages: image }))).toBe("vision");
    const three = { model: "plain", messages: ["1", "2", "3"].map((content) => ({ role: "user", content })) };
    expect(await labelOf(ask(proxy.url, JSON.stringify(three), { headers: { "x-kind": "long" } }))).toBe("long");
  });

  it("may ask for the facts that are fetched when they are read, beside fields of the same name", async () => {
    await using proxy = await start({
      "rules/a.ts": `import { defineRule } from "ccproxy/sdk";
        export default defineRule((request, params, { facts, annotate }) => {
          annotate("facts", [facts.toolNames, facts.toolTypes, facts.usedToolNames, facts.hasImage, request.toolNames, JSON.parse(JSON.stringify(facts)).hasImage]);
        });`,
    });
    const tools = [
      { name: "Bash", input_schema: {} },
      { type: "web_search_20250305", name: "web_search" },
    ];
    const call = { type: "tool_use", id: "t1", name: "Read", input: {} };
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content: [call] },
    ];
    for (let time = 0; time < 3; time++) await say(proxy, "", { tools, messages, toolNames: "a field" });
    const facts = [["Bash", "web_search"], ["custom", "web_search_20250305"], ["Read"], false, "a field", false];
    expect((await recordsOf(proxy)).map(({ annotations }) => annotations)).toEqual([{ facts }, { facts }, { facts }]);
  });

  it("stands where its entry does, among the built-in ones, and takes its params", async () => {
    const contains = `export class Contains {
      constructor(word, label) { this.word = word; this.label = label; }
      evaluate(request) { return JSON.stringify(request.messages).includes(this.word) && (this.label ?? true); }
    }`;
    await using proxy = await start(
      { "my/words.js": contains },
      {
        ccproxy: {
          rules: [
            { name: "vip", rule: "my.words.Contains", params: ["urgent"] },
            { name: "long", rule: "ccproxy.rules.ThinkingRule" },
            { name: "vision", rule: "my.words.Contains", params: ["thought", "chosen"] },
          ],
        },
      },
    );
    const thinking = { thinking: { type: "enabled", budget_tokens: 1024 } };
    expect(await labelOf(say(proxy, "urgent thought", thinking))).toBe("vip");
    expect(await labelOf(say(proxy, "thought", thinking))).toBe("long");
    expect(await labelOf(say(proxy, "thought"))).toBe("chosen");
    expect((await statusOf(proxy)).rules).toMatchObject([
      { label: "vip", rule: "my.words.Contains" },
      { label: "long", rule: "ccproxy.rules.ThinkingRule" },
      { label: "vision", rule: "my.words.Contains" },
    ]);
  });

  it("that throws is no match: the next one is asked, and the log has the line the user wrote", async () => {
    const throwing = [
      'import { defineRule } from "ccproxy/sdk";',
      "interface Shape { readonly depth: number }",
      "export default defineRule((request) => {",
      "  const shape: Shape | undefined = undefined;",
      "  return (shape as unknown as Shape).depth > 1;",
      "});",
    ].join("\n");
    await using proxy = await start({ "rules/a.ts": throwing, "rules/vip.ts": byText("urgent") });
    expect(await labelOf(say(proxy, "urgent"))).toBe("vip");
    await proxy.stop(0);
    const failed = (await proxy.logLines()).find(({ msg }) => String(msg).startsWith("a rule failed"));
    expect(failed).toMatchObject({
      file: "rules/a.ts",
      position: expect.stringMatching(/^rules\/a\.ts:5:\d+$/),
      policy: "taken as no match",
      frame: expect.stringContaining("return (shape as unknown as Shape).depth > 1;"),
      stack: expect.stringContaining("rules/a.ts:5:"),
    });
    expect(failed?.["requestId"]).toMatch(/^req_/);
  });

  it("that throws refuses the request where its entry says so", async () => {
    await using proxy = await start(
      { "my/guard.ts": "export default () => { throw new Error('with a secret in it'); };" },
      { ccproxy: { rules: [{ name: "vip", rule: "./my/guard.ts", on_error: "deny" }] } },
    );
    const answer = await say(proxy, "hi");
    expect([answer.status, answer.headers["x-should-retry"]]).toEqual([503, "false"]);
    expect(answer.text).toContain("my/guard.ts");
    expect(answer.text).not.toContain("secret");
    expect(upstream.requests).toEqual([]);
    expect((await recordsOf(proxy))[0]).toMatchObject({ status: 503, outcome: "refused" });
  });

  it("whose label nobody serves is answered with its name", async () => {
    await using proxy = await start({ "rules/a.ts": 'import { defineRule } from "ccproxy/sdk"; export default defineRule(() => "vipp");' });
    const answer = await say(proxy, "hi");
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining("vipp (the label given by rules/a.ts) is not served here")]);
  });

  it("costs no process when there is none", async () => {
    await using proxy = await start({});
    await say(proxy, "hi");
    expect((await statusOf(proxy)).userCode).toEqual({ units: [], ignored: [], sandbox: null });
  });

  it("writes fields of the log line, and lines of its own", async () => {
    await using proxy = await start({
      "rules/a.ts": `import { defineRule } from "ccproxy/sdk";
        export default defineRule((request, params, context) => { context.annotate("tenant", "acme"); console.log("asked", 1); return "vip"; });`,
    });
    await say(proxy, "hi");
    const [record] = await recordsOf(proxy);
    expect(record).toMatchObject({ label: "vip", annotations: { tenant: "acme" } });
    expect((await proxy.logLines()).find(({ text }) => text === "asked 1")).toMatchObject({
      file: "rules/a.ts",
      requestId: record?.["requestId"],
    });
  });
});

describe("files in rules/ and hooks/", () => {
  it("that are not what the folder is for are left alone, with a word why", async () => {
    await using proxy = await start({
      "rules/helpers.ts": "export default { a: 1 };",
      "hooks/misplaced.ts": byText("urgent"),
      "rules/_draft.ts": "syntax error (",
      "rules/vip.test.ts": "syntax error (",
      "rules/vip.ts": byText("urgent"),
    });
    const { userCode, config } = await statusOf(proxy);
    expect(userCode.units.map(({ file }) => file)).toEqual(["rules/vip.ts"]);
    expect(userCode.ignored).toEqual(
      expect.arrayContaining([
        { file: "rules/helpers.ts", why: expect.stringContaining("defineRule") },
        { file: "hooks/misplaced.ts", why: expect.stringContaining("move it to the folder rules/") },
      ]),
    );
    expect(config.faults.map(({ severity, message }) => [severity, message])).toEqual(
      expect.arrayContaining([
        ["warning", expect.stringContaining("rules/helpers.ts")],
        ["warning", expect.stringContaining("hooks/misplaced.ts")],
      ]),
    );
    expect(await labelOf(say(proxy, "urgent"))).toBe("vip");
  });

  it("whose label has no deployment are told of", async () => {
    await using proxy = await start({ "rules/vipp.ts": byText("urgent") });
    expect((await statusOf(proxy)).config.faults).toMatchObject([
      { severity: "warning", file: expect.stringContaining("rules/vipp.ts"), message: expect.stringContaining('Did you mean "vip"?') },
    ]);
  });

  it("refuse the start when they cannot be loaded, with the line", async () => {
    const throwing = [
      'import { defineRule } from "ccproxy/sdk";',
      "",
      'throw new Error("at load");',
      "export default defineRule(() => true);",
    ];
    await expect(start({ "rules/vip.ts": throwing.join("\n") })).rejects.toMatchObject({
      faults: [
        {
          severity: "error",
          file: expect.stringContaining("rules/vip.ts"),
          line: 3,
          message: expect.stringContaining("at load"),
          frame: expect.stringContaining('3 | throw new Error("at load");'),
        },
      ],
    });
    await expect(start({ "rules/vip.ts": "export default (" })).rejects.toMatchObject({
      faults: [{ severity: "error", file: expect.stringContaining("rules/vip.ts"), line: 1 }],
    });
  });

  it("refuse the start when the secret of the installation cannot be read", async () => {
    const files = { "rules/vip.ts": byText("urgent"), "install-secret": "no secret" };
    await expect(start(files)).rejects.toMatchObject({
      faults: [{ severity: "error", message: expect.stringContaining("install-secret") }],
    });
  });
});
