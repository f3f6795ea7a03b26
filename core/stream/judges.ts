/** Whether what came so far of a reply is one: a look at its first events, or at the whole of it. */

import type { Json } from "../../sdk/body.ts";
import type { EventMeaning } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { statusOfKind } from "../../sdk/hub/error-kinds.ts";
import { hubMeaning } from "../../sdk/hub/event-meaning.ts";
import { record } from "../../sdk/hub/json.ts";
import { type SseFields, SseSplitter, readFields } from "../../sdk/hub/sse.ts";
import type { EventItem } from "./event-source.ts";
import type { Judge } from "./hold.ts";

export type Verdict =
  | { readonly type: "content" }
  /** More came than is held, and nothing is known. */
  | { readonly type: "too-long" }
  /** @param found an error that the upstream told, an end without content, or an answer that broke off or is none */
  | { readonly type: "failed"; readonly found: "error" | "empty" | "broken"; readonly error: ProxyError };

export type Meaning = (data: string, name: string) => EventMeaning;

const glanceBytes = 1024;
const mostBytes = 8 * 1024 * 1024;
const content: Verdict = { type: "content" };
const tooLong: Verdict = { type: "too-long" };

/** Of a stream of events as bytes. */
export function judgeStream(meaning: Meaning): Judge<Uint8Array, Verdict> {
  const splitter = new SseSplitter();
  let bytes = 0;
  let saidAnything = false;
  const judgeAll = (events: readonly Uint8Array[]): Verdict | undefined => {
    for (const raw of events) {
      const fields = readFields(raw);
      if (fields.data === "" && fields.name === "") continue;
      saidAnything = true;
      const verdict = verdictOn(meaningOf(meaning, fields));
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  };
  return {
    push(chunk) {
      // The first events say it, of however many that have come.
      for (let at = 0; at < chunk.length; at += glanceBytes) {
        const verdict = judgeAll(splitter.push(chunk.subarray(at, at + glanceBytes)));
        if (verdict !== undefined) return verdict;
      }
      bytes += chunk.length;
      return bytes > mostBytes ? tooLong : undefined;
    },
    end(error) {
      if (error !== undefined) return brokenOff(error);
      const last = splitter.end();
      const verdict = judgeAll(last);
      if (verdict !== undefined) return verdict;
      return saidAnything ? broken("ended its stream before there was an answer") : judgeNoEvents(meaning, last);
    },
  };
}

/** An answer that is no stream, whatever its header says: a page, a reply in one piece, an error. Else there were comments at most. */
function judgeNoEvents(meaning: Meaning, last: readonly Uint8Array[]): Verdict {
  const text = Buffer.concat(last).toString("utf8").trim();
  if (text.startsWith("{") && isObject(text)) return verdictOn(meaning(text, "")) ?? empty();
  return text === "" || text.startsWith(":") ? empty() : broken("answered with something else than a stream of events");
}

/** Of a stream that was translated. */
export function judgeEvents(): Judge<readonly EventItem[], Verdict> {
  return {
    push(batch) {
      for (const { value } of batch) {
        const verdict = value === undefined ? undefined : verdictOn(hubMeaning(value));
        if (verdict !== undefined) return verdict;
      }
      return undefined;
    },
    end: (error) => (error === undefined ? broken("ended its stream before there was an answer") : brokenOff(error)),
  };
}

/** Of a reply in one piece. */
export function judgeWhole(meaning: Meaning): Judge<Uint8Array, Verdict> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let first: number | undefined;
  return {
    push(chunk) {
      // A list is no reply of any dialect, but a stream in another form, whose items nobody should wait for.
      if (first === undefined && (first = chunk.find((byte) => !blanks.has(byte))) === openBracket) return content;
      chunks.push(chunk);
      bytes += chunk.length;
      return bytes > mostBytes ? tooLong : undefined;
    },
    end(error) {
      if (error !== undefined) return brokenOff(error);
      const text = Buffer.concat(chunks).toString("utf8");
      if (text.trim() === "") return empty();
      if (!isObject(text)) return broken("answered with something that is no JSON object");
      // A shape that is not known here may be known to the client.
      return verdictOn(meaning(text, "")) ?? (nothingInIt.test(text) ? empty() : content);
    },
  };
}

const nothingInIt = /^\s*\{\s*\}\s*$/;
const openBracket = 0x5b;
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function meaningOf(meaning: Meaning, { data, name }: SseFields): EventMeaning {
  return data === "" ? "preamble" : meaning(data, name);
}

function verdictOn(meaning: EventMeaning): Verdict | undefined {
  if (meaning === "preamble") return undefined;
  if (meaning === "content") return content;
  if (meaning === "end") return empty();
  const { error: kind } = meaning;
  const message = meaning.message === "" ? "The upstream answered with an error that says nothing." : meaning.message;
  return { type: "failed", found: "error", error: new ProxyError(message, { status: statusOfKind(kind), kind }) };
}

function empty(): Verdict {
  const error = new ProxyError("The upstream's answer is empty: no content, and no reason for its end.", {
    status: 502,
    kind: "api_error",
  });
  return { type: "failed", found: "empty", error };
}

function broken(what: string, cause?: unknown): Verdict {
  const error = new ProxyError(`The upstream ${what}.`, { status: 502, kind: "api_error", cause });
  return { type: "failed", found: "broken", error };
}

function brokenOff(error: unknown): Verdict {
  return error instanceof ProxyError ? { type: "failed", found: "broken", error } : broken("broke off before there was an answer", error);
}

function isObject(text: string): boolean {
  return parse(text) !== undefined;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text);
    return record(value);
  } catch {
    return undefined;
  }
}
