/** `context.fetch`, `callModel` and `kv`: asked of the proxy, which answers while the run waits; kv writes travel with the result. */

import type { Json } from "../../../sdk/body.ts";
import type { CallModelReply, FetchReply, KeyValue } from "../../../sdk/context.ts";
import type { GrantNames, Operation, OperationResult } from "../protocol.ts";
import { SandboxError } from "./errors.ts";
import { createKeyValue } from "./key-value.ts";
import { toJson } from "./stores.ts";

const maxOperations = 32;
const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);

/** An operation before it has a number. */
export type AskedOperation = Operation extends infer One ? (One extends Operation ? Omit<One, "seq"> : never) : never;
export type Ask = (operation: AskedOperation) => Promise<Json>;

/** The operations of one run. */
export interface Operations {
  fetch(url: unknown, options?: unknown): Promise<FetchReply>;
  callModel(request: unknown): Promise<CallModelReply>;
  readonly kv: KeyValue;
  /** JSON of the operations asked for since the last time; undefined when there are none. */
  takeAsked(): string | undefined;
  /** JSON of the writes to kv; undefined when there are none. */
  takeWrites(): string | undefined;
  /** How many have no result yet. */
  waiting(): number;
  resume(results: readonly OperationResult[]): void;
}

export interface OperationsOptions {
  readonly grants: GrantNames;
  /** For messages: the file. */
  readonly file: string;
  /** Why nothing can be waited for, where that is so. */
  readonly refusal: string | undefined;
}

export function createOperations({ grants, file, refusal }: OperationsOptions): Operations {
  const outstanding = new Map<number, { resolve(value: Json): void; reject(error: Error): void }>();
  let asked: Operation[] = [];
  let nextSeq = 0;

  const ask: Ask = (operation) => {
    if (refusal !== undefined) throw new SandboxError(refusal);
    if (nextSeq >= maxOperations) throw new SandboxError(`a call may fetch, call models and read kv ${maxOperations} times in all`);
    const seq = nextSeq++;
    asked.push({ seq, ...operation });
    return new Promise((resolve, reject) => outstanding.set(seq, { resolve, reject }));
  };
  const keyValue = createKeyValue(ask, grants.kv ? undefined : refuse(file, "kv", "kv"));

  return {
    async fetch(url, options) {
      if (!grants.fetch) throw refuse(file, "fetch", `fetch:${hostOf(url)}`);
      return readFetchReply(await ask(fetchOperation(url, options)));
    },
    async callModel(request) {
      if (!grants.callModel) throw refuse(file, "callModel", `callModel:${modelOf(request)}`);
      const copy = JSON.parse(toJson(request, "context.callModel")) as Json;
      const reply = await ask({ op: "callModel", request: copy });
      return { text: textOf(reply), reply };
    },
    kv: keyValue.view,
    takeAsked() {
      if (asked.length === 0) return undefined;
      const text = JSON.stringify(asked);
      asked = [];
      return text;
    },
    takeWrites: () => keyValue.takeWrites(),
    waiting: () => outstanding.size,
    resume(results) {
      for (const result of results) {
        const waiting = outstanding.get(result.seq);
        if (waiting === undefined) continue;
        outstanding.delete(result.seq);
        if (result.ok) waiting.resolve(result.value);
        else waiting.reject(new Error(result.message));
      }
    },
  };
}

/** The error for a member of the context that was not granted; it says how to grant it. */
function refuse(file: string, member: string, grant: string): SandboxError {
  return new SandboxError(
    `context.${member} is not granted to ${file}: name the file in ccproxy.yaml, with  grants: ["${grant}"]  beside it`,
  );
}

function fetchOperation(url: unknown, options: unknown): AskedOperation {
  if (typeof url !== "string") throw new SandboxError(`context.fetch: the url is a ${typeof url}; wanted a text`);
  const { method = "GET", headers, body } = isRecord(options) ? options : {};
  if (typeof method !== "string" || !methods.has(method.toUpperCase()))
    throw new SandboxError(`context.fetch: ${String(method)} is no method; wanted one of ${[...methods].join(", ")}`);
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(isRecord(headers) ? headers : {})) named[name.toLowerCase()] = String(value);
  if (body !== undefined && typeof body !== "string") named["content-type"] ??= "application/json";
  const bodyText = body === undefined || body === null ? null : typeof body === "string" ? body : toJson(body, "context.fetch");
  return { op: "fetch", url, method: method.toUpperCase(), headers: named, body: bodyText };
}

function readFetchReply(value: Json): FetchReply {
  const { status, headers, body } = isRecord(value) ? value : {};
  const text = typeof body === "string" ? body : "";
  const code = typeof status === "number" ? status : 0;
  const named: Record<string, string> = {};
  for (const [name, header] of Object.entries(isRecord(headers) ? headers : {})) named[name] = typeof header === "string" ? header : "";
  return Object.freeze({
    status: code,
    ok: code >= 200 && code <= 299,
    headers: Object.freeze(named),
    text: () => text,
    json: () => JSON.parse(text) as Json,
  });
}

function textOf(reply: Json): string {
  const { content } = isRecord(reply) ? reply : {};
  if (!Array.isArray(content)) return "";
  let text = "";
  for (const block of content) if (isRecord(block) && block["type"] === "text" && typeof block["text"] === "string") text += block["text"];
  return text;
}

function hostOf(url: unknown): string {
  const host = typeof url === "string" ? /^https?:\/\/([^/?#@]{1,100})/.exec(url)?.[1] : undefined;
  return host ?? "host";
}

function modelOf(request: unknown): string {
  const { model } = isRecord(request) ? request : {};
  return typeof model === "string" ? model.slice(0, 100) : "group";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
