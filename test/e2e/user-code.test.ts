/** The real Claude Code through `ccproxy run`, with rules and hooks of the user's own, one of which is edited while the session goes on. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterEach, beforeAll, expect, it } from "vitest";

import { textReply, toolUseReply, type Reply } from "../helpers/replies.ts";
import { startUpstream, type UpstreamRequest } from "../helpers/upstream.ts";
import { installClaudeCode } from "./claude-code-package.ts";
import { createSession, type Session } from "./claude-code.ts";

// A download of some 100 MB, once.
beforeAll(async () => void (await installClaudeCode()), 600_000);

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function disposed<Resource extends AsyncDisposable>(starting: Promise<Resource>): Promise<Resource> {
  const resource = await starting;
  open.push(resource);
  return resource;
}

const rule = `
import { defineRule, lastUserText } from "ccproxy/sdk";
export default defineRule({ label: "poems", evaluate: (request) => lastUserText(request).includes("poem") });
`;

const style = (words: string): string => `
import { defineHook } from "ccproxy/sdk";
export default defineHook({
  preCall(request) {
    if (Array.isArray(request.system)) request.system.push({ type: "text", text: "${words}" });
  },
});
`;

/** The word may be cut anywhere: what could be its beginning waits for the next event. */
const redact = `
import { defineHook } from "ccproxy/sdk";
const word = "hunter2";
export default defineHook({
  events: ["content_block_delta", "content_block_stop"],
  onEvent(event, { locals }) {
    const held = String(locals.get("held") ?? "");
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
      const text = (held + event.delta.text).replaceAll(word, "[hidden]");
      let kept = Math.min(word.length - 1, text.length);
      while (!word.startsWith(text.slice(text.length - kept))) kept -= 1;
      locals.set("held", text.slice(text.length - kept));
      event.delta.text = text.slice(0, text.length - kept);
    } else if (event.type === "content_block_stop" && held !== "") {
      locals.set("held", "");
      return [{ type: "content_block_delta", index: event.index, delta: { type: "text_delta", text: held } }, event];
    }
  },
});
`;

const cost = `
import { defineHook } from "ccproxy/sdk";
export default defineHook({
  postCall(reply, context) {
    context.annotate("answerTokens", reply.usage.output_tokens ?? -1);
  },
  onComplete(completion, context) {
    context.log("this answer cost", completion.costUsd);
  },
});
`;

it("routes, edits, redacts and books a conversation, and takes a saved file into use in the middle of it", async () => {
  const main = await disposed(startUpstream());
  const poems = await disposed(startUpstream());
  const entry = (group: string, url: string): object => ({
    model_name: group,
    litellm_params: { model: `anthropic/${group}-model`, api_base: url, api_key: "sk-of-the-host" },
    model_info: {
      input_cost_per_token: 0.000001,
      output_cost_per_token: 0.00001,
      cache_read_input_token_cost: 0,
      cache_creation_input_token_cost: 0,
    },
  });
  const session = await disposed(
    createSession({ config: { model_list: [entry("default", main.url), entry("poems", poems.url)] }, ccproxy: { port: 0 } }),
  );
  const { claude, ccproxy, configDir, work } = session;
  for (const [name, text] of Object.entries({
    "rules/poems.ts": rule,
    "hooks/style.ts": style("Speak like a pirate."),
    "hooks/redact.ts": redact,
    "hooks/cost.ts": cost,
  })) {
    await mkdir(path.dirname(path.join(configDir, name)), { recursive: true });
    await writeFile(path.join(configDir, name), text);
  }

  const bash = (command: string, text?: string): Reply => toolUseReply({ name: "Bash", input: { command, description: "writes" } }, text);
  poems.script(async (_, index) => {
    if (index === 0) return bash("echo roses > poem.txt && cat poem.txt", "The word is hunter2.");
    if (index > 1) return textReply("The word was hunter2, or so.", { input_tokens: 1000, output_tokens: 20 });
    // This turn is under way with the old file; the next one must have the new one.
    await writeFile(path.join(configDir, "hooks/style.ts"), style("Speak like a monk."));
    await untilSnapshot(session, 2);
    return bash("echo violets >> poem.txt");
  });

  expect(await ccproxy(["start", "--detach"])).toMatchObject({ exitCode: 0 });
  try {
    const run = await claude(["write a poem", "--allowedTools", "Bash"]);
    expect(run).toMatchObject({ exitCode: 0, strays: [], stdout: "The word was [hidden], or so.\n" });
    expect(await readFile(path.join(work, "poem.txt"), "utf8")).toBe("roses\nviolets\n");

    const asked = poems.requestsTo();
    expect(asked.map((request) => request.json())).toMatchObject([
      { model: "poems-model" },
      { model: "poems-model" },
      { model: "poems-model" },
    ]);
    expect(asked.map(lastSystemText)).toEqual(["Speak like a pirate.", "Speak like a pirate.", "Speak like a monk."]);
    // What the client keeps as its own words is what the hook let through.
    expect(asked[2]?.body.toString()).toContain("The word is [hidden].");
    expect(asked[2]?.body.toString()).not.toContain("hunter2");

    const status = await ccproxy(["status"]);
    expect(status.stdout).toContain("hooks/style.ts");
    expect(status.stdout).toContain("rules/poems.ts");
  } finally {
    expect(await ccproxy(["stop"])).toMatchObject({ exitCode: 0 });
  }
  // Written in batches, the last one at the end.
  const log = await readFile(path.join(configDir, "ccproxy.log"), "utf8");
  expect(log).toContain('"text":"this answer cost 0.0012"');
  expect(log).toMatch(/"answerTokens"\D{1,3}20/);
});

function lastSystemText(request: UpstreamRequest): unknown {
  const body = request.json();
  if (typeof body !== "object" || body === null || !("system" in body) || !Array.isArray(body.system)) return undefined;
  const last: unknown = body.system.at(-1);
  return typeof last === "object" && last !== null && "text" in last ? last.text : undefined;
}

/** Asks the running server until it has taken so many configurations into use. */
async function untilSnapshot({ ccproxy }: Session, wanted: number): Promise<void> {
  for (;;) {
    const { stdout } = await ccproxy(["status", "--json"]);
    const status: { config?: { snapshot?: number } } = JSON.parse(stdout);
    if ((status.config?.snapshot ?? 0) >= wanted) return;
    await delay(100);
  }
}
