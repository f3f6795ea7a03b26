/**
 * A dialect small enough to be seen through, for tests of what core does between two dialects.
 * Request: `{ "name": model, "say": text, "stream"?: true }`. Whole reply: `{ "said": text, "used": [input, output] }`.
 * Stream: events `{ "piece": text }`, then `{ "over": [input, output] }`. Error: `{ "wrong": text }`.
 */

import type { Json } from "../../sdk/body.ts";
import type { ClientTranslation, Dialect, Ingress, ReplyWatch } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { MessageWriter } from "../../sdk/hub/message-writer.ts";
import { SseReader } from "../../sdk/hub/sse.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Provider } from "../../sdk/provider.ts";
import type { ReplyReader, Wire } from "../../sdk/wire.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const line = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

const translation: ClientTranslation = {
  head: ({ body }) => ({ model: text(body.value("name")) ?? "", stream: body.value("stream") === true, session: undefined }),
  decode({ body }, note) {
    const said = body.value("say");
    if (typeof said !== "string") throw new ProxyError("say: wanted a text", { status: 400, kind: "invalid_request_error" });
    if (body.field("mood") !== undefined) note("dropped", { field: "mood" });
    const stream = body.value("stream") === true;
    return { model: text(body.value("name")) ?? "", max_tokens: 100, stream, messages: [{ role: "user", content: said }] };
  },
  stream() {
    let isOver = false;
    let usage: JsonObject = {};
    const fail = (message: string): string => {
      if (isOver) return "";
      isOver = true;
      return line({ wrong: message });
    };
    return {
      push(event) {
        const delta = record(event["delta"]);
        usage = { ...usage, ...record(record(event["message"])?.["usage"]), ...record(event["usage"]) };
        if (delta?.["type"] === "text_delta") return line({ piece: delta["text"] });
        if (event["type"] === "error") return fail(text(record(event["error"])?.["message"]) ?? "");
        if (event["type"] !== "message_stop" || isOver) return "";
        isOver = true;
        return line({ over: [usage["input_tokens"], usage["output_tokens"]] });
      },
      fail: ({ message }) => fail(message),
      end: () => fail("it ended early"),
    };
  },
  whole(message) {
    const blocks = Array.isArray(message["content"]) ? message["content"].map((block) => record(block)) : [];
    const usage = record(message["usage"]);
    const said = blocks.map((block) => text(block?.["text"]) ?? `<${text(block?.["type"])}>`).join("");
    const body = json({ said, used: [usage?.["input_tokens"], usage?.["output_tokens"]] });
    return {
      status: 200,
      headers: [
        ["content-type", "application/json"],
        ["content-length", String(body.length)],
      ],
      chunks: [body],
    };
  },
};

class SmallWatch implements ReplyWatch {
  #text = "";
  push(chunk: Uint8Array): void {
    this.#text += Buffer.from(chunk).toString();
  }
  betweenEvents(): boolean {
    return this.#text.endsWith("\n\n");
  }
  end(): ReturnType<ReplyWatch["end"]> {
    const used = /"(?:over|used)":\[(\d+),(\d+)\]/.exec(this.#text);
    const wrong = /"wrong":"([^"]*)"/.exec(this.#text);
    const usage = {
      inputTokens: Number(used?.[1]),
      outputTokens: Number(used?.[2]),
      cacheReadTokens: undefined,
      cacheWriteTokens: undefined,
    };
    return {
      complete: used !== null,
      error: wrong === null ? undefined : "wrong",
      errorMessage: wrong?.[1],
      usage: used === null ? undefined : usage,
    };
  }
}

const ingress: Ingress = {
  routes: [
    { method: "POST", path: "/small", operation: "generate" },
    { method: "POST", path: "/small/count", operation: "count_tokens" },
    { method: "POST", path: "/small/embed", operation: "embeddings" },
  ],
  encodeError: ({ status, message, headers }) => ({
    status,
    headers: [["content-type", "application/json"], ...Object.entries(headers)],
    chunks: [json({ wrong: message })],
  }),
  encodeStreamError: ({ message }) => Buffer.from(line({ wrong: message })),
  ping: Buffer.from(": still here\n\n"),
  watch: () => new SmallWatch(),
  encodeTokenCount: (count) => ({ status: 200, headers: [["content-type", "application/json"]], chunks: [json({ count })] }),
  translation,
};

function createReader(model: string, inputTokens: number): ReplyReader {
  const write = (writer: MessageWriter, value: JsonObject): void => {
    const used = value["over"] ?? value["used"];
    if (value["wrong"] !== undefined) writer.fail({ type: "api_error", message: text(value["wrong"]) ?? "" });
    writer.text(text(value["piece"]) ?? text(value["said"]) ?? "");
    if (!Array.isArray(used)) return;
    writer.usage({ input_tokens: Number(used[0]), output_tokens: Number(used[1]) });
    writer.finish();
  };
  return {
    stream() {
      const sse = new SseReader();
      const writer = new MessageWriter({ model, inputTokens });
      const read = (events: ReturnType<SseReader["push"]>): readonly JsonObject[] => {
        for (const { data } of events) {
          const value: Json = JSON.parse(data);
          write(writer, record(value) ?? {});
        }
        return writer.take();
      };
      return {
        push: (chunk) => read(sse.push(chunk)),
        end() {
          read(sse.end());
          writer.fail({ type: "api_error", message: "the stream ended early" });
          return writer.take();
        },
      };
    },
    whole(reply) {
      const writer = new MessageWriter({ model, inputTokens });
      write(writer, reply);
      return writer.take();
    },
  };
}

const wire: Wire = {
  encode({ body, estimatedInputTokens, withoutThinking }, { model }, note) {
    const messages = Array.isArray(body["messages"]) ? body["messages"] : [];
    const say = messages.map((message) => text(record(message)?.["content"]) ?? "").join("|");
    if (say.includes("unsayable")) throw new ProxyError("messages: cannot be said", { status: 400, kind: "invalid_request_error" });
    if (body["max_tokens"] !== undefined) note("dropped", { field: "max_tokens" });
    const encoded = {
      name: model,
      say,
      ...(body["stream"] === true ? { stream: true } : {}),
      ...(withoutThinking === true ? { again: true } : {}),
    };
    return { body: encoded, headers: [["x-small", "1"]], reader: createReader(model, estimatedInputTokens) };
  },
  adapt: (body, { model }) => (body.value("name") === model ? body : body.edit([{ field: "name", value: model }])),
  decodeError({ status, body }) {
    const said = Buffer.from(body).toString();
    const error = new ProxyError(`small said: ${said}`, { status, kind: status === 429 ? "rate_limit_error" : "invalid_request_error" });
    return said.includes("sealed") ? { error, retry: "without-thinking" } : { error };
  },
};

const smallDialect: Dialect = { name: "small", ingress, wire };

function smallProvider(overrides: Partial<Provider> = {}): Provider {
  return {
    names: ["small"],
    defaultApiBase: "https://small.example",
    keyVariables: ["SMALL_API_KEY"],
    dialects: (_, operation) => (operation === "count_tokens" ? [] : ["small"]),
    address: ({ operation, body, headers, search }, { apiBase }) => ({
      url: `${apiBase}/${operation === "embeddings" ? "embed" : "talk"}${search}`,
      headers,
      body: body.bytes,
    }),
    authorize: (headers, { value }) => [...headers, ["x-small-key", value]],
    ownsUrl: () => false,
    ...overrides,
  };
}

export function smallPlugin(overrides: Partial<Provider> = {}): Plugin {
  return definePlugin({ name: "small", setup: () => ({ dialects: [smallDialect], providers: [smallProvider(overrides)] }) });
}
