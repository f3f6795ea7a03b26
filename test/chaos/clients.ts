/** Clients of three dialects: what they ask, and what they would make of what comes. */

import { type SseFields, SseSplitter, readFields } from "../../sdk/hub/sse.ts";
import type { Asking } from "./scene.ts";

export type ClientName = "anthropic" | "openai-chat" | "openai-responses";

/** How an answer ended, for a client that reads it. */
export type Ending =
  /** By the last event of its protocol. */
  | { readonly type: "complete" }
  /** By its protocol's error. */
  | { readonly type: "error"; readonly of: string; readonly message: string }
  /** By neither: for a client it hangs, or is cut off. */
  | { readonly type: "none" };

export interface Read {
  readonly text: string;
  readonly ending: Ending;
  /** Names of the events, in order. */
  readonly events: readonly string[];
  /** Events behind the last one there may be. */
  readonly afterEnd: number;
}

interface Client {
  readonly path: string;
  readonly body: (model: string, stream: boolean) => Readonly<Record<string, unknown>>;
  /** @param value data of an event, parsed */
  readonly step: (value: Loose) => Partial<Pick<Read, "text" | "ending">>;
  /** Text of a reply in one piece. */
  readonly whole: (value: Loose) => string;
  readonly error: (value: Loose) => Omit<Extract<Ending, { readonly type: "error" }>, "type">;
}

/** JSON that a test looks into. */
export type Loose = ReturnType<typeof JSON.parse>;

const words = "How are you?";

export const clients: Readonly<Record<ClientName, Client>> = {
  anthropic: {
    path: "/v1/messages",
    body: (model, stream) => ({ model, max_tokens: 100, ...(stream ? { stream } : {}), messages: [{ role: "user", content: words }] }),
    step(value) {
      if (value.type === "content_block_delta") return { text: value.delta.text ?? "" };
      if (value.type === "message_stop") return { ending: { type: "complete" } };
      return value.type === "error" ? { ending: { type: "error", ...clients.anthropic.error(value) } } : {};
    },
    whole: ({ content }) => content.map((block: Loose) => block.text ?? "").join(""),
    error: ({ error }) => ({ of: error.type, message: error.message }),
  },
  "openai-chat": {
    path: "/v1/chat/completions",
    body: (model, stream) => ({ model, ...(stream ? { stream } : {}), messages: [{ role: "user", content: words }] }),
    step(value) {
      if (value === "[DONE]") return { ending: { type: "complete" } };
      if (value.error !== undefined) return { ending: { type: "error", ...clients["openai-chat"].error(value) } };
      return { text: value.choices[0]?.delta.content ?? "" };
    },
    whole: ({ choices }) => choices[0].message.content,
    error: ({ error }) => ({ of: error.code ?? error.type, message: error.message }),
  },
  "openai-responses": {
    path: "/v1/responses",
    body: (model, stream) => ({ model, ...(stream ? { stream } : {}), input: words }),
    step(value) {
      if (value.type === "response.output_text.delta") return { text: value.delta };
      if (value.type === "response.completed") return { ending: { type: "complete" } };
      if (value.type === "response.failed") {
        const { code, message } = value.response.error;
        return { ending: { type: "error", of: code, message } };
      }
      return value.type === "error" ? { ending: { type: "error", ...clients["openai-responses"].error(value) } } : {};
    },
    whole: ({ output }) =>
      output
        .flatMap((item: Loose) => item.content ?? [])
        .map((part: Loose) => part.text ?? "")
        .join(""),
    // Within a stream the vendor itself puts it so.
    error: ({ error, code, message }) =>
      error === undefined ? { of: code, message } : { of: error.code ?? error.type, message: error.message },
  },
};

export function bodyOf({ client = "anthropic", stream = true, model = "m", fields = {} }: Asking): string {
  return JSON.stringify({ ...clients[client].body(model, stream), ...fields });
}

/** @throws Error for a stream that the client's parser would not take */
export function readStream(text: string, client: ClientName = "anthropic"): Read {
  const { step } = clients[client];
  const splitter = new SseSplitter();
  const raw: readonly SseFields[] = [...splitter.push(Buffer.from(text)), ...splitter.end()].map((event) => readFields(event));
  let said = "";
  let ending: Ending = { type: "none" };
  let afterEnd = 0;
  const events: string[] = [];
  for (const { name, data } of raw) {
    if (data === "") continue;
    // The vendor's client looks no further at one; half an event may have been made one.
    if (name === "ping") {
      events.push(name);
      continue;
    }
    const value: Loose = data === "[DONE]" ? data : parse(data);
    // OpenAI's clients throw at half an event, before they come to the error behind it; Anthropic's have one that nobody reads.
    if (value === undefined && client !== "anthropic") {
      ending = { type: "error", of: "half an event", message: data };
      break;
    }
    events.push(name === "" ? (value.type ?? value.object ?? (value.error === undefined ? String(value) : "error")) : name);
    const found = step(value);
    if (ending.type !== "none") afterEnd += 1;
    said += found.text ?? "";
    ending = found.ending ?? ending;
  }
  return { text: said, ending, events, afterEnd };
}

/** Undefined for what is none. */
export function parse(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
