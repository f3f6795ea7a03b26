/** Each tested host on a scripted server: what it is sent, what it answers, and what goes back to it with the next turn. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { createProvider } from "../../../plugins/openai-compatible/create-provider.ts";
import { rows } from "../../../plugins/openai-compatible/table.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { AnthropicAssembler } from "../../../sdk/hub/assemble.ts";
import type { Encoded, Target } from "../../../sdk/wire.ts";
import { claudeCodeBody, type ClaudeBodyOptions } from "../../helpers/claude-body.ts";
import { rawReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";
import { hosts, type Host } from "./hosts.ts";

const dialect = openaiChat.setup().dialects?.find(({ name }) => name === "openai-chat");
const wire = dialect?.wire;

let upstream: Upstream;
beforeAll(async () => void (upstream = await startUpstream()));
afterAll(() => upstream.close());

function providerOf({ model }: Host): {
  provider: ReturnType<typeof createProvider>;
  question: JsonObject & { model: string };
  base: string;
} {
  const name = model.slice(0, model.indexOf("/"));
  const row = rows.find(({ names }) => names.includes(name));
  if (row === undefined) throw new Error(`no row for ${name}`);
  expect(row.evidence).toBe("tested");
  return { provider: createProvider(row), question: { model: model.slice(name.length + 1) }, base: row.base ?? "http://localhost/v1" };
}

/** The host's own path on the scripted server; its own host where rows look at that. */
function targetOf(host: Host): { provider: ReturnType<typeof createProvider>; target: Target } {
  const { provider, question, base } = providerOf(host);
  const asked = { model: question.model, apiBase: base, params: {}, info: {} };
  const target: Target = {
    deploymentId: "d",
    providerName: provider.names[0] ?? "",
    model: provider.modelId?.(question.model) ?? question.model,
    apiBase: upstream.url + new URL(base).pathname.replace(/\/$/, ""),
    params: {},
    modelFacts: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      images: true,
      documents: true,
      tools: true,
      // What a host is not known to be asked by depends on the model.
      reasoning: Object.keys(host.efforts.low).length > 0 ? true : undefined,
    },
    quirks: provider.quirks?.(asked) ?? {},
    producer: `${provider.names[0]}@${new URL(base).host}`,
  };
  expect(provider.dialects(asked, "generate")).toEqual(host.dialects);
  return { provider, target };
}

function claudeRequest(options: ClaudeBodyOptions = {}): JsonObject {
  const body: JsonObject = JSON.parse(claudeCodeBody({ ...options, turns: 1 }).toString("utf8"));
  return body;
}

function encode(body: JsonObject, target: Target): Encoded {
  const encoded = wire?.encode?.({ body, session: "s1", estimatedInputTokens: 100 }, target, () => {});
  if (encoded === undefined) throw new Error("no wire");
  return encoded;
}

async function exchange(host: Host, body: JsonObject): Promise<{ sent: Upstream["requests"][number]; events: readonly JsonObject[] }> {
  const { provider, target } = targetOf(host);
  const encoded = encode(body, target);
  const outbound = provider.address(
    {
      dialect: "openai-chat",
      operation: "generate",
      stream: true,
      body: createRequestBody(Buffer.from(JSON.stringify(encoded.body))),
      path: "",
      search: "?beta=true",
      headers: [
        ["user-agent", "claude-cli/2.1.330"],
        ["anthropic-beta", "context-management-2025-06-27"],
        ["x-claude-code-session-id", "s1"],
      ],
    },
    target,
  );
  const text = host.reply.map((event) => (typeof event === "string" ? `${event}\n\n` : `data: ${JSON.stringify(event)}\n\n`)).join("");
  upstream.script(
    rawReply((response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end(`${text}data: [DONE]\n\n`)),
    "*",
  );
  const headers = provider.authorize(outbound.headers, { form: "api-key", value: "key-1" });
  const response = await fetch(outbound.url, {
    method: "POST",
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body: Buffer.from(outbound.body),
  });
  const decoder = encoded.reader.stream();
  const events = [...decoder.push(new Uint8Array(await response.arrayBuffer())), ...decoder.end()];
  const sent = upstream.requests.at(-1);
  if (sent === undefined) throw new Error("nothing was sent");
  return { sent, events };
}

function messageOf(events: readonly JsonObject[]): JsonObject {
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  const text = assembler.complete ? assembler.message() : undefined;
  if (text === undefined) throw new Error(`no whole message in ${JSON.stringify(events)}`);
  return JSON.parse(text);
}

const reasoningFields = new Set(["reasoning_content", "reasoning", "reasoning_details"]);
const thinkingFields = new Set(["reasoning_effort", "reasoning", "thinking", "enable_thinking"]);

describe.each(hosts.map((host) => [host.model, host] as const))("%s", (_, host) => {
  test("is sent today's Claude request in the host's own terms", async () => {
    const { sent } = await exchange(host, claudeRequest());
    expect(sent.url).toBe(host.path);
    expect(sent.headers["authorization"]).toBe("Bearer key-1");
    expect(sent.headers).not.toHaveProperty("anthropic-beta");
    expect(sent.headers).not.toHaveProperty("x-claude-code-session-id");
    const body = JSON.parse(sent.body.toString("utf8"));
    expect(body.model).toBe(host.asked ?? host.model.slice(host.model.indexOf("/") + 1));
    expect(body[host.limit]).toBe(64_000);
    expect(body).not.toHaveProperty(host.limit === "max_tokens" ? "max_completion_tokens" : "max_tokens");
    expect(body.stream).toBe(true);
    expect(body.messages[0].role).toBe(host.systemRole ?? "system");
    expect(body.tools.map((tool: { function: { name: string } }) => tool.function.name)).toContain("Bash");
    expect(JSON.stringify(body)).not.toContain("x-anthropic-billing-header");
    for (const field of host.omits ?? []) expect(body, field).not.toHaveProperty(field);
    // What another vendor thought, in the turn before, is not told here.
    const turn = body.messages.find(({ role }: { role: string }) => role === "assistant");
    const fields = Object.entries(turn).filter(([name]) => reasoningFields.has(name));
    expect(fields).toEqual(host.fills === undefined ? [] : [[host.fills, ""]]);
  });

  test.each(["none", "low", "medium", "xhigh", "max"] as const)("is asked for effort %s by its own name", (effort) => {
    const { target } = targetOf(host);
    const request = claudeRequest(effort === "none" ? { thinking: "disabled" } : { effort });
    const { body } = encode(request, target);
    const asked = Object.fromEntries(Object.entries(body).filter(([name]) => thinkingFields.has(name)));
    expect(asked).toEqual(host.efforts[effort]);
  });

  test("is sent what it takes of the rest, and nothing that it refuses", () => {
    const { target } = targetOf(host);
    const body = encode(
      {
        ...claudeRequest({ thinking: "disabled" }),
        tool_choice: { type: "any", disable_parallel_tool_use: true },
        stop_sequences: ["\n\nHuman:"],
        temperature: 0.5,
        top_p: 0.9,
        output_config: { format: { type: "json_schema", schema: { type: "object", properties: { a: { type: "string" } } } } },
      },
      target,
    ).body;
    expect(body["tool_choice"]).toBe(host.any);
    expect(body).toMatchObject(host.sends ?? {});
    for (const field of host.omits ?? []) expect(body, field).not.toHaveProperty(field);
  });

  test("is read as it answers, and gets back what it thought", async () => {
    const request = claudeRequest();
    const { events } = await exchange(host, request);
    const message = messageOf(events);
    const content = Array.isArray(message["content"]) ? (message["content"] as JsonObject[]) : [];
    const thinking = content.filter(({ type }) => type === "thinking").map((block) => block["thinking"]);
    expect(thinking.filter((words) => words !== "")).toEqual(host.thinking === undefined ? [] : [host.thinking]);
    expect(content.find(({ type }) => type === "text")).toMatchObject({ text: "Looking." });
    expect(content.find(({ type }) => type === "tool_use")).toMatchObject({ name: "Bash", input: { command: "ls" } });
    expect(message["stop_reason"]).toBe("tool_use");
    const { input, output, cacheRead } = host.usage;
    expect(message["usage"]).toMatchObject({
      input_tokens: input,
      output_tokens: output,
      ...(cacheRead === undefined ? {} : { cache_read_input_tokens: cacheRead }),
    });

    const call = content.find(({ type }) => type === "tool_use");
    const before = Array.isArray(request["messages"]) ? request["messages"] : [];
    const next = {
      ...request,
      messages: [
        ...before,
        { role: "assistant", content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call?.["id"] ?? "", content: "a b" }] },
      ],
    };
    const { target } = targetOf(host);
    const sent = encode(next, target).body["messages"];
    const turn = (Array.isArray(sent) ? (sent as JsonObject[]) : []).findLast(({ role }) => role === "assistant");
    const back = Object.fromEntries(Object.entries(turn ?? {}).filter(([name]) => reasoningFields.has(name)));
    const wanted = host.returns ?? {};
    expect(back).toEqual(Object.fromEntries(Object.entries(wanted).filter(([name]) => reasoningFields.has(name))));
    if ("content" in wanted) expect(turn?.["content"]).toEqual(wanted["content"]);
    expect(turn?.["tool_calls"]).toMatchObject([{ function: { name: "Bash" } }]);
  });
});

test("every row that says it is tested is tested here, and no other", () => {
  const tested = rows.filter(({ evidence }) => evidence === "tested").map(({ names }) => names[0]);
  const named = hosts.map(({ model }) => model.slice(0, model.indexOf("/")));
  const canonical = named.map((name) => rows.find(({ names }) => names.includes(name))?.names[0]);
  expect(new Set(canonical)).toEqual(new Set(tested));
});
