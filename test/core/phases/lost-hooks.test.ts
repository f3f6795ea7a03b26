import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, dial, rawPost, type Answer } from "../../helpers/client.ts";
import { recordsOf, statusOf, untilIdle } from "../../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy, type ProxyOptions } from "../../helpers/proxy.ts";
import { textReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(async () => void (upstream = await startUpstream(textReply("hello"))));
afterEach(() => upstream.close());

const hook = (members: string): string => `import { defineHook } from "ccproxy/sdk";\nexport default defineHook({\n${members}\n});\n`;

function start(files: Readonly<Record<string, string>>, more: ProxyOptions = {}): Promise<Proxy> {
  return startProxy({ config: { model_list: [deployment("plain", upstream.url)] }, files, ...more });
}

const bodyFor = (text: string): string => JSON.stringify({ model: "plain", max_tokens: 5, messages: [{ role: "user", content: text }] });
const say = (proxy: Proxy, text: string): Promise<Answer> => ask(proxy.url, bodyFor(text));

/** No timer of an isolate stops this one: only the end of its process does. */
const hang = `preCall(request) { if (request.messages[0].content === "hang") { const list = []; list[2 ** 32 - 2] = 1; list.reverse(); } }`;

describe("a required hook that had to be killed too often", () => {
  it("goes on refusing, says so, and survives reloads of other files, until its own file changes", async () => {
    await using proxy = await start({ "hooks/guard.ts": hook(`required: true,\n${hang}`) });
    expect((await say(proxy, "hi")).status).toBe(200);
    for (let time = 0; time < 3; time++) expect((await say(proxy, "hang")).status).toBe(503);
    const refused = async (): Promise<void> => {
      const answer = await say(proxy, "hi");
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([503, "false"]);
      expect(answer.text).toContain("The hook hooks/guard.ts is out of use until its file changes");
      expect((await statusOf(proxy)).userCode.units).toMatchObject([
        { file: "hooks/guard.ts", phases: ["preCall"], required: true, quarantined: expect.any(String) },
      ]);
    };
    await refused();
    await proxy.write("rules/_unrelated.ts", "");
    await proxy.reload();
    expect((await statusOf(proxy)).config).toMatchObject({ snapshot: 2, rejected: null });
    await refused();
    await proxy.write("hooks/guard.ts", hook(`required: true,\n/* mended */\n${hang}`));
    await proxy.reload();
    expect((await say(proxy, "hi")).status).toBe(200);
    expect((await statusOf(proxy)).userCode.units).toMatchObject([{ quarantined: null }]);
  }, 30_000);
});

describe("a file that several entries name", () => {
  it("is executed once: they share what it keeps in itself", async () => {
    const file = `let asked = 0;
      export class Every { constructor(number) { this.number = number; } evaluate() { return ++asked % this.number === 0; } }`;
    const rules = [2, 3].map((number) => ({ name: `every-${number}`, rule: "my.every.Every", params: [number] }));
    await using proxy = await start(
      { "my/every.ts": file },
      { config: { model_list: ["plain", "every-2", "every-3"].map((label) => deployment(label, upstream.url)) }, ccproxy: { rules } },
    );
    const labels: unknown[] = [];
    for (let time = 0; time < 3; time++) labels.push((await say(proxy, "hi")).headers["x-ccproxy-label"]);
    // 1, 2 | 3, 4 | 5, 6: the first asks odd numbers of itself, the second gets to 6.
    expect(labels).toEqual(["default", "default", "every-3"]);
  });
});

describe("a client that leaves while a hook runs", () => {
  it("is a client that has left: the hook is given up, and nothing is sent", async () => {
    await using proxy = await start(
      {
        "my/wait.ts": hook(
          `async preCall(request, { callModel }) { await callModel({ model: "plain", messages: [{ role: "user", content: "wait" }] }); }`,
        ),
      },
      { ccproxy: { hooks: [{ hook: "./my/wait.ts", grants: ["callModel:plain"] }] } },
    );
    const held = Promise.withResolvers<void>();
    upstream.script(async () => {
      await held.promise;
      return textReply("late");
    });
    const arrived = upstream.nextRequest();
    const connection = await dial(proxy.url);
    connection.write(rawPost(proxy.url, bodyFor("hi")));
    const request = await arrived;
    connection.socket.destroy();
    await request.aborted;
    held.resolve();
    await untilIdle(proxy);
    expect(upstream.requests).toHaveLength(1);
    expect((await recordsOf(proxy)).at(-1)).toMatchObject({ outcome: "client-gone" });
  });
});

describe("a stop", () => {
  it("waits for hooks that run when a request is over", async () => {
    await using proxy = await start(
      {
        "my/after.ts": hook(
          `async onComplete(completion, { callModel }) { await callModel({ model: "plain", messages: [{ role: "user", content: "after" }] }); console.log("told"); }`,
        ),
      },
      { ccproxy: { hooks: [{ hook: "./my/after.ts", grants: ["callModel:plain"] }] } },
    );
    const held = Promise.withResolvers<void>();
    let count = 0;
    upstream.script(async () => {
      if (++count === 2) await held.promise;
      return textReply("hello");
    });
    expect((await say(proxy, "hi")).status).toBe(200);
    while (upstream.requests.length < 2) await new Promise((resolve) => void setImmediate(resolve));
    const stopped = proxy.stop(10_000);
    held.resolve();
    await stopped;
    expect((await proxy.logLines()).map(({ text }) => text)).toContain("told");
  });
});
