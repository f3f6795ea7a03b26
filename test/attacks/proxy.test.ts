/** Some of the attacks as files of a user, against a whole proxy that goes on serving others. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, ask } from "../helpers/client.ts";
import { deployment, type Proxy, startProxy } from "../helpers/proxy.ts";
import { textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";
import { findAttacks } from "./find-attacks.ts";

const chosen = new Set([
  "loop",
  "arrReverse",
  "stringRaw",
  "mapBomb",
  "arrayPush",
  "throwProxy",
  "rejectGetter",
  "retThenable",
  "microtaskBombNoReturn",
  "prepareStackTraceLoop",
  "stackOverflow",
  "hostAwaitThenLoop",
  "normalizeHuge",
  "throwHugeMessage",
  "a getter put into the request",
  "messages of 2**32 - 2 elements",
  "a proxy with hostile traps put into the request",
]);
const attacks = (await findAttacks()).map(({ attack }) => attack).filter(({ name }) => chosen.has(name));

const body = JSON.stringify({ model: "main", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
const secret = "sk-ant-deployment-key";

let upstream: Upstream;
let proxy: Proxy;
let innocent: { stop(): Promise<readonly string[]> };

beforeAll(async () => {
  upstream = await startUpstream(textReply("hello"));
  proxy = await startProxy({
    config: { model_list: [deployment("main", upstream.url)] },
    ccproxy: {
      hooks: attacks.map((_, index) => ({
        hook: `./hooks/attack-${index}.ts`,
        grants: ["kv"],
        on_error: index % 2 === 0 ? "skip" : "deny",
      })),
    },
    files: {
      ...Object.fromEntries(attacks.map((attack, index) => [`hooks/attack-${index}.ts`, userFile(index, attack.body ?? "")])),
      "rules/innocent.ts": `import { defineRule } from "ccproxy/sdk"; export default defineRule((request, params, context) => context.facts.model === "nothing");`,
    },
  });
  innocent = keepAsking();
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

function userFile(index: number, attackBody: string): string {
  return `import { defineHook } from "ccproxy/sdk";
function attack(request: any, context: any): any {
  const { log } = context;
  const hostAsync = () => context.kv.get("more");
  ${attackBody}
}
export default defineHook({
  async preCall(request, context) {
    if (context.headers.get("x-attack") !== "${index}") return;
    await context.kv.get("reached");
    return attack(request, context);
  },
});
`;
}

/** Others, who have nothing to do with it. @returns tells what went wrong for them */
function keepAsking(): { stop(): Promise<readonly string[]> } {
  const failures: string[] = [];
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const answer = await ask(proxy.url, body);
      if (answer.status !== 200 || !answer.text.includes("hello")) failures.push(`${answer.status} ${answer.text}`);
    }
  };
  const runs = [run(), run()];
  return {
    async stop() {
      stopping.abort();
      await Promise.all(runs);
      return failures;
    },
  };
}

const attackWith = (index: number): Promise<Answer> => ask(proxy.url, body, { headers: { "x-attack": String(index) } });

test("every attack that was chosen is there", () => {
  expect(attacks.map(({ name }) => name).toSorted()).toEqual([...chosen].toSorted());
});

test.each(attacks.map(({ name }, index) => [name, index] as const))("%s", { timeout: 60_000 }, async (_, index) => {
  const answer = await attackWith(index);
  if (index % 2 === 0) expect([answer.status, answer.text.includes("hello")]).toEqual([200, true]);
  else expect([answer.status, answer.text.includes(`hooks/attack-${index}.ts`)]).toEqual([503, true]);
  expect(answer.text).not.toContain(secret);
  const next = await ask(proxy.url, body);
  expect(next.status).toBe(200);
});

test("nobody else noticed, every attack was told of with its file, and no secret was", async () => {
  expect(await innocent.stop()).toEqual([]);
  expect(new Set(upstream.requests.map((request) => request.body.toString()))).toEqual(new Set([body]));
  await proxy.stop(3000);
  const lines = await proxy.logLines();
  for (const index of attacks.keys()) {
    const file = `hooks/attack-${index}.ts`;
    expect(
      lines.filter((line) => JSON.stringify(line).includes(file) && line["level"] !== "info"),
      file,
    ).not.toEqual([]);
  }
  expect(await proxy.logText()).not.toContain(secret);
});
