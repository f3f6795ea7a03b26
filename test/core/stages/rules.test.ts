import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { builtinPlugins } from "../../../plugins/index.ts";
import { definePlugin } from "../../../sdk/plugin.ts";
import type { RuleFactory, RuleVerdict } from "../../../sdk/rule.ts";
import { ask } from "../../helpers/client.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { jsonReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const asked: string[] = [];

/** A rule that gives this verdict, and notes that it was asked. */
function rule(name: string, verdict: () => RuleVerdict | Promise<RuleVerdict>): RuleFactory {
  const evaluate = (): RuleVerdict | Promise<RuleVerdict> => {
    asked.push(name);
    return verdict();
  };
  return { name, summary: name, create: () => ({ evaluate }) };
}

const scripted = definePlugin({
  name: "scripted",
  setup: () => ({
    rules: [
      rule("Yes", () => true),
      rule("No", () => false),
      rule("Null", () => null),
      rule("Empty", () => ""),
      rule("LaterYes", async () => true),
      rule("LaterNo", async () => undefined),
      rule("Named", () => "chosen"),
      rule("Throws", () => {
        throw new Error("of a rule");
      }),
      rule("LaterThrows", async () => {
        throw new Error("of a rule, later");
      }),
      rule("Nowhere", () => "no-such-model"),
    ],
  }),
});

let upstream: Upstream;
beforeEach(async () => {
  asked.length = 0;
  upstream = await startUpstream(jsonReply({ ok: true }));
});
afterEach(() => upstream.close());

function start(...names: readonly string[]): Promise<Proxy> {
  const labels = ["one", "two", "three", "four", "five"];
  return startProxy({
    config: { model_list: [...labels, "chosen", "plain"].map((label) => deployment(label, upstream.url)) },
    ccproxy: { rules: names.map((name, index) => ({ name: labels[index], rule: `ccproxy.rules.${name}` })) },
    plugins: [...builtinPlugins, scripted],
  });
}

async function label(proxy: Proxy): Promise<unknown> {
  const answer = await ask(
    proxy.url,
    JSON.stringify({ model: "plain", max_tokens: 5, messages: [{ role: "user", content: "a secret prompt" }] }),
  );
  return [answer.status, answer.headers["x-ccproxy-label"]];
}

describe("rules", () => {
  it("are asked in order, and the first that matches wins", async () => {
    await using proxy = await start("No", "Null", "Empty", "Yes", "Named");
    expect(await label(proxy)).toEqual([200, "four"]);
    expect(asked).toEqual(["No", "Null", "Empty", "Yes"]);
  });

  it("may take their time, and are waited for in order", async () => {
    await using proxy = await start("LaterNo", "LaterYes", "Yes");
    expect(await label(proxy)).toEqual([200, "two"]);
    expect(asked).toEqual(["LaterNo", "LaterYes"]);
  });

  it("may name a label of their own choice", async () => {
    await using proxy = await start("No", "Named");
    expect(await label(proxy)).toEqual([200, "chosen"]);
  });

  it("that choose a label nobody serves are told so, as an error of that request", async () => {
    await using proxy = await start("Nowhere");
    expect(await label(proxy)).toEqual([404, undefined]);
  });

  it("that throw are no match, are logged with their name, and leave the later ones their turn", async () => {
    await using proxy = await start("Throws", "LaterThrows", "Yes");
    expect(await label(proxy)).toEqual([200, "three"]);
    await proxy.stop(0);
    const errors = (await proxy.logLines()).filter(({ level }) => level === "error");
    expect(errors.map(({ rule: name, label: of }) => [name, of])).toEqual([
      ["ccproxy.rules.Throws", "one"],
      ["ccproxy.rules.LaterThrows", "two"],
    ]);
    expect(JSON.stringify(errors)).toContain("of a rule, later");
    expect(await proxy.logText()).not.toContain("a secret prompt");
  });

  it("that all refuse leave the request its model", async () => {
    await using proxy = await start("No", "LaterNo", "Null", "Throws");
    expect(await label(proxy)).toEqual([200, "default"]);
  });
});
