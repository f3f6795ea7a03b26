/** A scripted upstream of any vendor: a real HTTP server that answers a neutral script in the vendor's own bytes. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

import { rawReply, type Reply, type ReplyHeaders } from "../replies.ts";
import { startUpstream, type Upstream, type UpstreamRequest } from "../upstream.ts";
import type { FailureKind, ReplyScript, Script } from "./script.ts";

export type WireName = "anthropic" | "openai-chat" | "openai-responses" | "gemini" | "bedrock-converse";

/** Bytes that are written in one turn. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Whether it carries some of the content, as opposed to framing. */
  readonly isContent: boolean;
}

export interface Failure {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** A string as it is. */
  readonly body: unknown;
}

/** A request as the vendor would read it, in neutral words. */
export interface Asked {
  readonly request: UpstreamRequest;
  readonly body: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly stream: boolean;
  /** All that is said with the authority of the operator, joined by line ends. */
  readonly system: string;
  readonly turns: readonly AskedTurn[];
  readonly tools: readonly string[];
}

export interface AskedTurn {
  readonly role: "user" | "assistant";
  readonly parts: readonly AskedPart[];
}

export type AskedPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly mediaType: string; readonly data: string }
  | { readonly type: "document"; readonly data: string }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: "result"; readonly id: string; readonly text: string }
  /** What stands where the vendor wants its own token back. */
  | { readonly type: "thinking"; readonly text: string; readonly state: string };

/** How one vendor speaks. */
export interface Wire {
  readonly name: WireName;
  /** Whether a request to this path asks a model for a reply. */
  isGeneration(path: string): boolean;
  /** @throws Error when the body is not what the vendor's parser would take at all */
  read(request: UpstreamRequest): Asked;
  /** Headers of a stream. */
  readonly streamHeaders: Readonly<Record<string, string>>;
  stream(script: ReplyScript, asked: Asked): readonly Piece[];
  /** The event with which the vendor ends a stream that went wrong. */
  streamFailure(message: string): Uint8Array;
  whole(script: ReplyScript, asked: Asked): unknown;
  fail(kind: FailureKind, asked: Asked): Failure;
}

export type WireScript = Script | readonly Script[] | ((asked: Asked, index: number) => Script | Reply | Promise<Script | Reply>);

export interface WireHost extends AsyncDisposable {
  readonly wire: Wire;
  /** e.g. `http://127.0.0.1:40123`, without a trailing slash. */
  readonly url: string;
  readonly upstream: Upstream;
  /** Requests for replies since the last `script`, read. */
  readonly asked: readonly Asked[];
  /** What is answered from now on; of a sequence the last one repeats. Forgets what was asked. */
  script(script: WireScript): void;
}

/** Starts a host that speaks this wire on a free port. */
export async function startWire(wire: Wire, script: WireScript): Promise<WireHost> {
  const upstream = await startUpstream();
  let asked: Asked[] = [];
  let current = script;

  const answer = async (request: UpstreamRequest): Promise<Reply> => {
    if (!wire.isGeneration(request.path))
      return jsonFailure({ status: 404, body: { error: { message: `no such path: ${request.path}` } } });
    const read = wire.read(request);
    asked.push(read);
    const index = asked.length - 1;
    const next =
      typeof current === "function"
        ? await current(read, index)
        : "length" in current
          ? current[Math.min(index, current.length - 1)]
          : current;
    if (next === undefined) throw new Error("the script is an empty sequence");
    return "send" in next ? next : wireReply(wire, next, read);
  };
  upstream.script(answer);
  upstream.script(answer, "*");

  return {
    wire,
    url: upstream.url,
    upstream,
    get asked() {
      return asked;
    },
    script(next) {
      current = next;
      asked = [];
    },
    [Symbol.asyncDispose]: () => upstream.close(),
  };
}

/** What this vendor answers to a request. */
function wireReply(wire: Wire, script: Script, asked: Asked): Reply {
  if ("failure" in script) return jsonFailure(wire.fail(script.failure, asked));
  return asked.stream ? streamed(wire, script, asked) : rawReply((response) => sendJson(response, 200, wire.whole(script, asked), {}));
}

function streamed(wire: Wire, script: ReplyScript, asked: Asked): Reply {
  return rawReply(async (response) => {
    response.writeHead(200, { "cache-control": "no-cache", ...wire.streamHeaders });
    response.flushHeaders();
    let content = 0;
    for (const piece of wire.stream(script, asked)) {
      if (response.destroyed) return;
      if (piece.isContent && content === script.breakAfter?.pieces) return breakOff(response, script.breakAfter.how, wire);
      if (piece.isContent) content += 1;
      response.write(piece.bytes);
      // Writes of one turn would leave as one packet.
      await nextTurn();
    }
    if (script.breakAfter !== undefined)
      throw new Error(`the script breaks off after ${script.breakAfter.pieces} pieces, but has ${content}`);
    response.end();
  });
}

async function breakOff(response: ServerResponse, how: "error" | "cut" | "end" | "hang", wire: Wire): Promise<void> {
  if (how === "error") response.end(wire.streamFailure("the scripted host gave up"));
  else if (how === "cut") response.socket?.destroy();
  else if (how === "end") response.end();
  else if (!response.destroyed) await once(response, "close");
}

function jsonFailure(failure: Failure): Reply {
  return rawReply((response) => sendJson(response, failure.status, failure.body, failure.headers ?? {}));
}

function sendJson(response: ServerResponse, status: number, value: unknown, headers: ReplyHeaders): void {
  const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(body.length),
    ...(headers as Record<string, string>),
  });
  response.end(body);
}

/** A server-sent event without a name. */
export function dataEvent(value: unknown, lineEnd = "\n"): Uint8Array {
  return Buffer.from(`data: ${typeof value === "string" ? value : JSON.stringify(value)}${lineEnd}${lineEnd}`);
}

/** An object out of JSON, or a complaint that says where. */
export function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${where} is no object: ${JSON.stringify(value)?.slice(0, 200)}`);
  return value as Readonly<Record<string, unknown>>;
}

/** A list of objects; absent counts as empty. */
export function objects(value: unknown, where: string): readonly Readonly<Record<string, unknown>>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${where} is no list: ${JSON.stringify(value)?.slice(0, 200)}`);
  return value.map((item, index) => object(item, `${where}[${index}]`));
}

export function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw new Error(`${where} is no string: ${JSON.stringify(value)?.slice(0, 200)}`);
  return value;
}

/** `data:image/png;base64,…` in its parts. */
export function dataUrl(url: string, where: string): { readonly mediaType: string; readonly data: string } {
  const found = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (found === null) throw new Error(`${where} is no data URL: ${url.slice(0, 80)}`);
  return { mediaType: found[1] ?? "", data: found[2] ?? "" };
}
