import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { createHome } from "../cli/command-line.ts";
import { deployment, type Proxy, startProxy } from "../helpers/proxy.ts";
import { errorReply, jsonReply, textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

interface Example {
  readonly file: string;
  readonly code: string;
}

const pages = await Promise.all(
  ["rules.md", "hooks.md"].map((name) => readFile(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8")),
);
/** Blocks of code that begin with the name of their file. */
const examples: readonly Example[] = pages.flatMap((page) =>
  [...page.matchAll(/```ts\n\/\/ (\S+)\n([^]*?)```/g)].map(([, file = "", code = ""]) => ({ file, code })),
);
/** Entries that the pages show, by what they name. */
const entries: ReadonlyMap<string, Record<string, unknown>> = new Map(
  pages.flatMap((page) =>
    [...page.matchAll(/```yaml\nccproxy:\n([^]*?)```/g)].flatMap(([, yaml = ""]) => {
      const { hooks = [], rules = [] }: { hooks?: unknown[]; rules?: unknown[] } = parse(yaml);
      return [...hooks, ...rules].flatMap((entry): [string, Record<string, unknown>][] => {
        if (typeof entry !== "object" || entry === null) return [];
        const named = entry as Record<string, unknown>;
        return [[String(named["rule"] ?? named["hook"]), named]];
      });
    }),
  ),
);

interface Asked {
  /** Of the last user message, or the whole of the request's fields. */
  readonly say: string | Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly stream?: boolean;
}

interface Answer {
  readonly status: number;
  readonly label: string;
  /** What the client got, as text. */
  readonly text: string;
  /** What the upstream got, of the last request; undefined when it was not asked. */
  readonly sent: Record<string, unknown> | undefined;
}

async function ask(proxy: Proxy, upstream: Upstream, { say, headers, stream }: Asked): Promise<Answer> {
  const before = upstream.requestsTo().length;
  const fields = typeof say === "string" ? { messages: [{ role: "user", content: say }] } : say;
  const body = {
    model: "claude-sonnet-5-5",
    max_tokens: 1000,
    metadata: { user_id: JSON.stringify({ device_id: "d", session_id: "one" }) },
    ...(stream === true && { stream: true }),
    ...fields,
  };
  const response = await fetch(`${proxy.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const raw = await response.text();
  const sent = upstream.requestsTo().slice(before).at(-1)?.json() as Record<string, unknown> | undefined;
  return { status: response.status, label: response.headers.get("x-ccproxy-label") ?? "", text: raw, sent };
}

/** A proxy with this one file of the pages. */
async function proxyWith(
  file: string,
  upstream: Upstream,
  changes: (entry: Record<string, unknown>) => Record<string, unknown> = (entry) => entry,
): Promise<Proxy> {
  const example = examples.find((each) => each.file === file);
  if (example === undefined) throw new Error(`no page shows ${file}`);
  const prices = { model_info: { input_cost_per_token: 0.000_01, output_cost_per_token: 0.000_01 } };
  const groups = ["claude-sonnet-5-5", "deep", "small", "vision", "local", "overloaded", "helpers"];
  const config = { model_list: groups.map((group) => ({ ...(deployment(group, upstream.url) as object), ...prices })) };
  const proxy = await startProxy({ config });
  await mkdir(path.join(proxy.directory, path.dirname(file)), { recursive: true });
  await writeFile(path.join(proxy.directory, file), example.code);
  const entry = entries.get(`./${file}`);
  await proxy.writeCcproxy(entry === undefined ? {} : { [file.split("/")[0] ?? ""]: [changes(entry)] });
  await proxy.reload();
  const status = (await (await fetch(`${proxy.url}/ccproxy/status`, { headers: { "x-ccproxy-token": proxy.controlToken } })).json()) as {
    config: { rejected: unknown; faults: unknown };
  };
  expect(status.config).toMatchObject({ rejected: null, faults: [] });
  return proxy;
}

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const user = (content: unknown): Record<string, unknown> => ({ role: "user", content });
const result = (content: unknown): Record<string, unknown> => ({ type: "tool_result", tool_use_id: "t1", content });

describe("each example of the guides does what the page says", () => {
  test("there are ten", () => {
    const files = examples.map(({ file }) => file).filter((file) => !file.endsWith(".test.ts"));
    expect(files.toSorted()).toEqual([
      "hooks/house-style.ts",
      "hooks/no-emoji.ts",
      "hooks/overloaded.ts",
      "hooks/spend.ts",
      "hooks/ticket.ts",
      "hooks/trim-results.ts",
      "rules/classify.ts",
      "rules/deep.ts",
      "rules/helpers.ts",
      "rules/private-folder.ts",
    ]);
  });

  const long = "x".repeat(3000);
  test.each<[file: string, asked: Asked, wanted: Partial<Answer>]>([
    ["rules/deep.ts", { say: "deep: why?" }, { label: "deep", sent: expect.objectContaining({ model: "deep" }) }],
    ["rules/deep.ts", { say: "why deep: ?" }, { label: "default", sent: expect.objectContaining({ model: "claude-sonnet-5-5" }) }],
    ["rules/helpers.ts", { say: { messages: [user([image])] } }, { label: "vision" }],
    ["rules/helpers.ts", { say: "x", headers: { "x-claude-code-request-class": "auxiliary" } }, { label: "small" }],
    ["rules/helpers.ts", { say: "x", headers: { "x-claude-code-agent-type": "Explore" } }, { label: "small" }],
    ["rules/helpers.ts", { say: "x", headers: { "x-claude-code-request-class": "main" } }, { label: "default" }],
    ["rules/private-folder.ts", { say: { system: "cwd: /work/secret/a", messages: [user("x")] } }, { label: "local" }],
    ["rules/private-folder.ts", { say: "in /work/secret" }, { label: "local" }],
    ["rules/private-folder.ts", { say: "in /work/open" }, { label: "default" }],
    ["hooks/house-style.ts", { say: "x" }, { sent: expect.objectContaining({ system: "Write comments in British English." }) }],
    [
      "hooks/house-style.ts",
      { say: { system: [{ type: "text", text: "a" }], messages: [user("x")] } },
      {
        sent: expect.objectContaining({
          system: [
            { type: "text", text: "a" },
            { type: "text", text: "Write comments in British English." },
          ],
        }),
      },
    ],
    [
      "hooks/trim-results.ts",
      { say: { messages: [user([result(long), result("short")])] } },
      {
        sent: expect.objectContaining({ messages: [user([result(`${"x".repeat(500)}\n[…]\n${"x".repeat(500)}`), result("short")])] }),
      },
    ],
    ["hooks/no-emoji.ts", { say: "x" }, { text: expect.stringContaining('"text":"Done  and well "') }],
    ["hooks/no-emoji.ts", { say: "x", stream: true }, { text: expect.not.stringMatching(/✅|🎉/u) }],
  ])("%s %j", async (file, asked, wanted) => {
    await using upstream = await startUpstream(textReply("Done ✅ and well 🎉"));
    await using proxy = await proxyWith(file, upstream);
    expect(await ask(proxy, upstream, asked)).toMatchObject({ status: 200, ...wanted });
  });

  test("rules/classify.ts asks once for each thing the user asks", async () => {
    await using upstream = await startUpstream((request) => {
      const { model, messages } = request.json() as { model: string; messages: { content: unknown }[] };
      return textReply(model === "small" && JSON.stringify(messages).includes("prove") ? "Hard." : "easy");
    });
    await using proxy = await proxyWith("rules/classify.ts", upstream);
    const asked = (): number => upstream.requestsTo().filter((request) => (request.json() as { model: string }).model === "small").length;
    expect((await ask(proxy, upstream, { say: "prove it" })).label).toBe("deep");
    expect(
      (await ask(proxy, upstream, { say: { messages: [user("prove it"), { role: "assistant", content: "…" }, user([result("ok")])] } }))
        .label,
    ).toBe("deep");
    expect(asked()).toBe(1);
    expect((await ask(proxy, upstream, { say: "what time is it" })).label).toBe("default");
    expect(asked()).toBe(2);
  });

  test("hooks/ticket.ts puts the ticket below the words, on later turns too, and asks once", async () => {
    await using upstream = await startUpstream();
    upstream.script(jsonReply({ title: "Login fails" }), "GET /tickets/TCK-7");
    await using proxy = await proxyWith("hooks/ticket.ts", upstream, (entry) => ({
      ...entry,
      params: { url: upstream.url },
      grants: [`fetch:${upstream.url}`],
    }));
    const first = await ask(proxy, upstream, { say: "look at TCK-7" });
    const noted = user("look at TCK-7\n\n<ticket>Login fails</ticket>");
    expect(first.sent?.["messages"]).toEqual([noted]);
    const turns = [user("look at TCK-7"), { role: "assistant", content: "hello" }, user([{ type: "text", text: "go on with TCK-7" }])];
    expect((await ask(proxy, upstream, { say: { messages: turns } })).sent?.["messages"]).toEqual([
      noted,
      turns[1],
      user([
        { type: "text", text: "go on with TCK-7" },
        { type: "text", text: "<ticket>Login fails</ticket>" },
      ]),
    ]);
    expect(upstream.requestsTo("/tickets/TCK-7").length).toBe(1);
  });

  test("hooks/spend.ts adds up, and answers without asking a model", async () => {
    await using upstream = await startUpstream(textReply("hello", { input_tokens: 900, output_tokens: 100 }));
    await using proxy = await proxyWith("hooks/spend.ts", upstream);
    await ask(proxy, upstream, { say: "one" });
    await ask(proxy, upstream, { say: "two" });
    // What follows a request happens a moment after it.
    let answer = await ask(proxy, upstream, { say: "spend today?" });
    while (!answer.text.includes("$0.0200 for 2 requests")) answer = await ask(proxy, upstream, { say: "spend today?" });
    expect(answer).toMatchObject({ status: 200, sent: undefined });
  });

  test("hooks/overloaded.ts answers in place of one error, and of no other", async () => {
    const overloaded = errorReply(529, { message: "Overloaded" });
    await using upstream = await startUpstream([
      // As often as the proxy tries.
      overloaded,
      overloaded,
      overloaded,
      errorReply(400, { message: "prompt is too long" }),
    ]);
    await using proxy = await proxyWith("hooks/overloaded.ts", upstream);
    expect(await ask(proxy, upstream, { say: "x" })).toMatchObject({ status: 200, text: expect.stringContaining("ask again in a minute") });
    expect(await ask(proxy, upstream, { say: "x" })).toMatchObject({ status: 400, text: expect.stringContaining("prompt is too long") });
  });
});

test("the tests that the guides show pass, and all of their code type-checks", async () => {
  const { ccproxy, directory } = await createHome();
  await ccproxy(["install"]);
  for (const { file, code } of examples) await writeFile(path.join(directory, file), code);
  const tested = await ccproxy(["test"]);
  expect(tested.stdout).toMatch(/\n2 passed\n$/);
  const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
  execFileSync(tsc, ["--noEmit", "-p", directory], { encoding: "utf8", stdio: "pipe" });
});
