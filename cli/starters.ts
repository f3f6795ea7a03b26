/** What `ccproxy new` writes: a rule or hook that does something to be seen, and its test. */

export interface Starter {
  /** Relative to the folder of the configuration, with `/`. */
  readonly name: string;
  readonly text: string;
}

/** @param name in kebab-case */
export function ruleStarter(name: string): readonly Starter[] {
  const words = name.replaceAll("-", " ");
  return [
    {
      name: `rules/${name}.ts`,
      text: `/** Requests in which you write "use ${words}" go to the model "${name}". */

import { defineRule, lastUserText, param } from "ccproxy/sdk";

export default defineRule({
  // The model_name of an entry in config.yaml.
  label: "${name}",
  summary: 'the last user text holds "use ${words}"',

  // An entry in ccproxy.yaml may give other ones; without an entry these hold.
  params: {
    words: param.list(param.text()).default(["use ${words}"]),
  },

  // context.facts knows more of the request: model, tools, session, agent, images, size.
  evaluate(request, { words }) {
    const text = lastUserText(request).toLowerCase();
    return words.some((word) => text.includes(word.toLowerCase()));
  },
});
`,
    },
    {
      name: `rules/${name}.test.ts`,
      text: `import { expect, makeRequest, runRule, test } from "ccproxy/sdk/testing";

import rule from "./${name}.ts";

test("matches what it is meant for", async () => {
  expect(await runRule(rule, makeRequest("please use ${words} for this"))).toBe(true);
});

test("leaves everything else alone", async () => {
  expect(await runRule(rule, makeRequest("what time is it?"))).toBe(false);
});

test("takes other words from its entry", async () => {
  expect(await runRule(rule, makeRequest("Urgent!"), { words: ["urgent"] })).toBe(true);
});
`,
    },
  ];
}

/** @param name in kebab-case */
export function hookStarter(name: string): readonly Starter[] {
  return [
    {
      name: `hooks/${name}.ts`,
      text: `/** Logs what goes to a model, and what it came to. */

import { defineHook, param } from "ccproxy/sdk";

export default defineHook({
  summary: "logs size, tokens and time of each request",

  // An entry in ccproxy.yaml may give another one; without an entry this holds.
  params: {
    largest: param.integer({ min: 1 }).default(64_000),
  },

  // Before routing. Change the request in place: only what changes is written anew.
  preCall(request, context) {
    const { largest } = context.params;
    if (request.max_tokens !== undefined && request.max_tokens > largest) request.max_tokens = largest;
    context.annotate("${name}", request.messages.length);
  },

  // At the very end, whatever became of the request.
  onComplete({ status, usage, totalMs }, context) {
    context.log(\`\${context.facts.model}: \${status} in \${Math.round(totalMs)} ms, \${usage.outputTokens ?? 0} tokens\`);
  },
});
`,
    },
    {
      name: `hooks/${name}.test.ts`,
      text: `import { expect, makeRequest, runHook, test } from "ccproxy/sdk/testing";

import hook from "./${name}.ts";

test("caps max_tokens", async () => {
  const { request } = await runHook(hook, "preCall", makeRequest({ max_tokens: 100_000 }), { params: { largest: 1000 } });
  expect(request.max_tokens).toBe(1000);
});

test("notes how long the conversation is", async () => {
  const { request, context } = await runHook(hook, "preCall", makeRequest("Hello"));
  expect(request).toEqual(makeRequest("Hello"));
  expect(context.annotations).toEqual({ "${name}": 1 });
});

test("logs how a request ended", async () => {
  const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: undefined, cacheWriteTokens: undefined };
  const completion = { outcome: "completed" as const, status: 200, usage, costUsd: null, firstByteMs: 5, totalMs: 20, attempts: 1 };
  const { context } = await runHook(hook, "onComplete", completion);
  expect(context.logs).toEqual(["claude-sonnet-5-5: 200 in 20 ms, 5 tokens"]);
});
`,
    },
  ];
}
