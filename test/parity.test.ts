/**
 * One hook file, every way a request can take: it is told the same and what it does has the same effect. A new
 * dialect, and the cache, join with a row.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { events } from "../sdk/hub/events.ts";
import { type Answer, ask } from "./helpers/client.ts";
import { messageEvents, messageObject, type ReplyMessage } from "./helpers/events.ts";
import { type Proxy, startProxy } from "./helpers/proxy.ts";
import { type Reply, errorReply, jsonReply, streamReply } from "./helpers/replies.ts";
import { type Upstream, startUpstream } from "./helpers/upstream.ts";
import { told } from "./helpers/user-log.ts";
import { vendorPlugins } from "./helpers/vendor.ts";

/** Tells of every phase what it was given, and leaves its mark wherever a phase may. */
const hook = `
import { defineHook } from "ccproxy/sdk";

const tell = (context, more) =>
  context.log(JSON.stringify({ phase: context.phase, operation: context.operation, label: context.label ?? null, target: context.target ?? null,
    session: context.session ?? null, seen: context.locals.get("seen") ?? null, ...more }));
const see = (context) => context.locals.set("seen", [...(context.locals.get("seen") ?? []), context.phase]);

export default defineHook({
  buffer: true,
  preCall(request, context) {
    tell(context, { content: request.messages.at(-1)?.content });
    request.system = "added by preCall";
    see(context);
  },
  preUpstream(request, context) {
    tell(context, { system: request.system, model: request.model });
    request.max_tokens = 77;
    see(context);
  },
  onEvent(event, context) {
    tell(context, { event });
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") event.delta.text = event.delta.text.toUpperCase();
    if (event.type === "content_block_start") see(context);
  },
  postCall(reply, context) {
    tell(context, { reply });
    reply.content.push({ type: "text", text: " AND postCall" });
    see(context);
  },
  onError(error, context) {
    tell(context, { error });
    see(context);
  },
  onComplete(completion, context) {
    const { outcome, status, usage, costUsd, attempts } = completion;
    tell(context, { outcome, status, usage, costUsd, attempts });
  },
});
`;

const text = "A reply of a model, long enough for some events.";
const usage = { input_tokens: 12, output_tokens: 34, cache_read_input_tokens: 5, cache_creation_input_tokens: 6 };
const prices = {
  input_cost_per_token: 1,
  output_cost_per_token: 10,
  cache_read_input_token_cost: 100,
  cache_creation_input_token_cost: 1000,
};

interface Row {
  readonly route: string;
  /** What the client asks for. */
  readonly model: string;
  /** Undefined where only tokens are counted. */
  readonly stream: boolean | undefined;
  readonly label: string | null;
  readonly target: { readonly group: string; readonly model: string };
  /** No upstream is asked. */
  readonly isLocal: boolean;
  readonly gzip: boolean;
  readonly hasPrices: boolean;
}

type Route = Partial<Row> & Pick<Row, "route" | "model" | "target">;

const plain = { group: "plain", model: "plain" };
const routes: readonly Route[] = [
  { route: "a group", model: "plain", target: plain },
  { route: "an alias", model: "nickname", target: plain },
  { route: "a wildcard", model: "wild-7", target: { group: "wild-*", model: "wild-7" } },
  { route: "a model nobody configured", model: "claude-7", target: { group: "claude-7", model: "claude-7" }, hasPrices: false },
  { route: "the label of a rule", model: "other", label: "labelled", target: { group: "labelled", model: "labelled" } },
  { route: "a mock", model: "mocked", target: { group: "mocked", model: "mocked" }, isLocal: true },
  { route: "a reply that comes compressed", model: "plain", target: plain, gzip: true },
];

const rows = routes.flatMap((route): readonly Row[] =>
  [true, false, undefined].map((stream) => ({ label: null, isLocal: false, gzip: false, hasPrices: true, ...route, stream })),
);
const modes: ReadonlyMap<boolean | undefined, string> = new Map([
  [true, "streamed"],
  [false, "whole"],
  [undefined, "only counted"],
]);
const named = (row: Row): [string, Row] => [`${row.route}, ${modes.get(row.stream)}`, row];

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const message: ReplyMessage = { blocks: [{ type: "text", text }], model: "served", usage };

function replyOf({ stream, gzip }: Row): Reply {
  return stream === true ? streamReply({ events: messageEvents(message), gzip }) : jsonReply(messageObject(message), { gzip });
}

function start(): Promise<Proxy> {
  const entry = (group: string): object => ({
    model_name: group,
    litellm_params: { model: `anthropic/${group}`, api_base: upstream.url, api_key: "sk-of-the-host" },
    model_info: prices,
  });
  return startProxy({
    config: {
      model_list: [
        entry("plain"),
        entry("labelled"),
        entry("wild-*"),
        { model_name: "mocked", litellm_params: { model: "anthropic/mocked", mock_response: text }, model_info: prices },
      ],
      router_settings: { model_group_alias: { nickname: "plain" } },
    },
    files: {
      "hooks/parity.ts": hook,
      "rules/labelled.ts": 'import { defineRule } from "ccproxy/sdk";\nexport default defineRule((request) => request.model === "other");',
    },
    plugins: vendorPlugins(upstream.url),
  });
}

const session = "5e55ed00-0000-4000-8000-000000000000";

function send(proxy: Proxy, { model, stream }: Row): Promise<Answer> {
  const messages = [{ role: "user", content: "the question" }];
  const body = JSON.stringify({ model, max_tokens: 5, messages, ...(stream === undefined ? {} : { stream }) });
  return ask(proxy.url, body, {
    path: stream === undefined ? "/v1/messages/count_tokens" : "/v1/messages",
    headers: { "x-api-key": "sk-ant-api03-of-the-caller", "x-claude-code-session-id": session },
  });
}

/** The texts of the blocks that the client gets to see. */
function textsOf(answer: Answer, stream: boolean): readonly string[] {
  if (!stream) return blocksOf(answer.json());
  const told = answer.text.split("\n\n").flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []);
  const assembler = events.assemble();
  for (const data of told) assembler.push(JSON.parse(data));
  expect(assembler.complete).toBe(true);
  return blocksOf(JSON.parse(assembler.message() ?? "null"));
}

function blocksOf(whole: unknown): readonly string[] {
  const { content } = whole as { content: { text: string }[] };
  return content.map((block) => block.text);
}

function costOf({ isLocal, hasPrices }: Row): unknown {
  if (isLocal) return expect.any(Number);
  return hasPrices ? 12 + 340 + 500 + 6000 : null;
}

/** The events that a hook was told, however many pieces a text came in. */
function joined(calls: readonly Record<string, unknown>[]): { readonly types: readonly unknown[]; readonly text: string } {
  const told = calls.filter(({ phase }) => phase === "onEvent").map(({ event }) => event as { type: string; delta?: { text?: string } });
  const types = told.map(({ type }) => type).filter((type, index, all) => type !== "ping" && type !== all[index - 1]);
  return { types: types.filter((type, index) => type !== types[index - 1]), text: told.map(({ delta }) => delta?.text ?? "").join("") };
}

describe("the same hook", () => {
  it.each(rows.filter(({ stream }) => stream !== undefined).map(named))("is told the same and has the same effect: %s", async (_, row) => {
    upstream.script(replyOf(row));
    const before = upstream.requests.length;
    await using proxy = await start();
    const answer = await send(proxy, row);
    expect(answer).toMatchObject({ status: 200, end: "clean" });
    expect(textsOf(answer, row.stream === true)).toEqual([text.toUpperCase(), " AND postCall"]);
    expect(upstream.requests.slice(before).map((request) => request.json())).toMatchObject(
      row.isLocal ? [] : [{ model: row.target.model, system: "added by preCall", max_tokens: 77 }],
    );

    const calls = await told(proxy);
    const routed = { label: row.label, target: expect.objectContaining({ ...row.target, provider: "anthropic" }) };
    const same = { operation: "generate", session };
    const shown = { type: "message", role: "assistant", content: [{ type: "text", text: text.toUpperCase() }], stop_reason: "end_turn" };
    const counted = row.isLocal ? expect.any(Object) : { inputTokens: 12, outputTokens: 34, cacheReadTokens: 5, cacheWriteTokens: 6 };
    expect(calls.filter(({ phase }) => phase !== "onEvent")).toEqual([
      { phase: "preCall", ...same, label: null, target: null, seen: null, content: "the question" },
      { phase: "preUpstream", ...same, ...routed, seen: ["preCall"], system: "added by preCall", model: row.target.model },
      { phase: "postCall", ...same, ...routed, seen: ["preCall", "preUpstream", "onEvent"], reply: expect.objectContaining(shown) },
      {
        phase: "onComplete",
        ...same,
        ...routed,
        seen: ["preCall", "preUpstream", "onEvent", "postCall"],
        outcome: "completed",
        status: 200,
        usage: counted,
        costUsd: costOf(row),
        attempts: row.isLocal ? 0 : 1,
      },
    ]);
    expect(joined(calls)).toEqual({
      types: ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
      text,
    });
    for (const call of calls.filter(({ phase }) => phase === "onEvent")) expect(call).toMatchObject({ ...same, ...routed });
  });

  it.each(rows.filter(({ stream, gzip }) => stream === undefined && !gzip).map(named))(
    "sees the request and the end: %s",
    async (_, row) => {
      const before = upstream.requests.length;
      await using proxy = await start();
      const answer = await send(proxy, row);
      expect(answer.status).toBe(200);
      expect(answer.json()).toEqual({ input_tokens: row.isLocal ? expect.any(Number) : 7 });
      expect(upstream.requests.slice(before).map((request) => request.json())).toMatchObject(
        row.isLocal ? [] : [{ model: row.target.model, system: "added by preCall", max_tokens: 77 }],
      );
      const calls = await told(proxy);
      expect(calls.map(({ phase, operation }) => [phase, operation])).toEqual([
        ["preCall", "count_tokens"],
        ["preUpstream", "count_tokens"],
        ["onComplete", "count_tokens"],
      ]);
      expect(calls.at(-1)).toMatchObject({ outcome: "completed", status: 200, costUsd: 0, seen: ["preCall", "preUpstream"] });
    },
  );

  it.each(rows.filter(({ isLocal, gzip }) => !isLocal && !gzip).map(named))("is told of the upstream's error: %s", async (_, row) => {
    for (const route of ["POST /v1/messages", "POST /v1/messages/count_tokens"])
      upstream.script(errorReply(429, { message: "slow down" }), route);
    await using proxy = await start();
    const answer = await send(proxy, row);
    expect(answer.status).toBe(429);
    const calls = await told(proxy);
    expect(calls.map(({ phase }) => phase)).toEqual(["preCall", "preUpstream", "onError", "onComplete"]);
    const error = { status: 429, type: "rate_limit_error", message: "slow down", source: "upstream", midStream: false };
    expect(calls[2]).toMatchObject({ error, label: row.label, target: row.target, seen: ["preCall", "preUpstream"] });
    expect(calls[3]).toMatchObject({ outcome: "completed", status: 429, seen: ["preCall", "preUpstream", "onError"] });
    upstream.script(jsonReply({ input_tokens: 7 }), "POST /v1/messages/count_tokens");
  });
});
