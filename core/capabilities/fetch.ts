/** `context.fetch`: HTTPS to granted hosts, at public addresses only, everything bounded. */

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

import { Agent, type Dispatcher, errors } from "undici";

import { errorCode } from "../config/text-file.ts";
import type { FetchValue, Operation } from "../sandbox/protocol.ts";
import { CapabilityError } from "./capability-error.ts";
import { forAnotherHost, readFetchHeaders, withoutBody } from "./fetch-headers.ts";
import { readTarget } from "./fetch-target.ts";
import { type AddressPolicy, createGuardedConnect, loopbackOnly, publicOnly, type Resolve } from "./guarded-connect.ts";

export type FetchOperation = Omit<Extract<Operation, { op: "fetch" }>, "seq" | "op">;

export interface FetchCall {
  /** Hosts of the grants. */
  readonly hosts: readonly string[];
  /** The same for the same operation, however often it is tried. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** @throws CapabilityError, or the reason of the signal */
export type GuardedFetch = (operation: FetchOperation, call: FetchCall) => Promise<FetchValue>;

export interface FetchOptions {
  /** Of this proxy: user code that called it would be called by it again. */
  readonly ownPort: () => number | undefined;
  readonly limits?: Partial<FetchLimits>;
  /** For tests: the resolver, the addresses that count as public, and a certificate to trust. */
  readonly resolve?: Resolve;
  readonly publicAddresses?: AddressPolicy;
  readonly ca?: string;
}

export interface FetchLimits {
  readonly requestBytes: number;
  /** Before and after decompression. */
  readonly responseBytes: number;
  readonly redirects: number;
  readonly connectMs: number;
  /** Of one fetch with everything, if the call's own time is not up before. */
  readonly totalMs: number;
  /** At once to the same host. */
  readonly connections: number;
}

const defaultLimits: FetchLimits = {
  requestBytes: 1024 * 1024,
  responseBytes: 1024 * 1024,
  redirects: 3,
  connectMs: 5_000,
  totalMs: 30_000,
  connections: 128,
};

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
const methods: ReadonlySet<string> = new Set<Method>(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);

interface Request {
  readonly url: URL;
  readonly method: Method;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string | null;
}

export interface FetchCapability {
  readonly fetch: GuardedFetch;
  close(): Promise<void>;
}

export function createFetch(options: FetchOptions): FetchCapability {
  const limits: FetchLimits = { ...defaultLimits, ...options.limits };
  const agentFor = (policy: AddressPolicy): Agent =>
    new Agent({
      connect: createGuardedConnect({
        policy,
        timeoutMs: limits.connectMs,
        ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      }),
      connections: limits.connections,
      pipelining: 1,
      headersTimeout: limits.totalMs,
      bodyTimeout: limits.totalMs,
    });
  const publicHosts = agentFor(options.publicAddresses ?? publicOnly);
  const thisMachine = agentFor(loopbackOnly);

  async function fetchGranted(operation: FetchOperation, { hosts, key, signal }: FetchCall): Promise<FetchValue> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(limits.totalMs)]);
    let request = readRequest(operation, hosts, key, limits);
    for (let redirects = 0; ; redirects++) {
      refuseOwnPort(request.url, options.ownPort());
      const agent = request.url.protocol === "https:" ? publicHosts : thisMachine;
      const reply = await send(agent, request, within);
      const location = redirectOf(reply);
      if (location === undefined) return readReply(reply, request, limits);
      await reply.body.dump({ limit: 64 * 1024, signal: within });
      if (redirects === limits.redirects)
        throw new CapabilityError(`fetch of ${request.url.host}: more than ${limits.redirects} redirects`);
      request = follow(request, reply.statusCode, location, hosts);
    }
  }

  return {
    async fetch(operation, call) {
      try {
        return await fetchGranted(operation, call);
      } catch (error) {
        call.signal.throwIfAborted();
        throw explain(error, operation.url, limits);
      }
    },
    async close() {
      await Promise.all([publicHosts.destroy(), thisMachine.destroy()]);
    },
  };
}

function readRequest(operation: FetchOperation, hosts: readonly string[], key: string, limits: FetchLimits): Request {
  const url = readTarget(operation.url, hosts);
  const method = operation.method.toUpperCase();
  if (!isMethod(method)) throw new CapabilityError(`fetch knows the methods ${[...methods].join(", ")}`);
  const { body } = operation;
  const headers = new Map([["user-agent", "ccproxy"], ...readFetchHeaders(operation.headers)]);
  const isSafe = method === "GET" || method === "HEAD";
  if (body !== null) {
    if (isSafe) throw new CapabilityError(`fetch: ${method} has no body`);
    const bytes = Buffer.byteLength(body, "utf8");
    if (bytes > limits.requestBytes) throw new CapabilityError(`fetch: a body of ${bytes} bytes; at most ${limits.requestBytes} are sent`);
    if (!headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
  }
  // A host that dies on the way may leave it open whether the request arrived: the receiver can tell by this.
  if (!isSafe && !headers.has("idempotency-key"))
    headers.set("idempotency-key", createHash("sha256").update(key).digest("hex").slice(0, 32));
  return { url, method, headers, body };
}

function isMethod(text: string): text is Method {
  return methods.has(text);
}

function refuseOwnPort(url: URL, ownPort: number | undefined): void {
  if (url.protocol === "http:" && Number(url.port || 80) === ownPort) {
    throw new CapabilityError("fetch of this proxy itself is refused: rules and hooks would run again for it. Use context.callModel");
  }
}

function send(agent: Agent, { url, method, headers, body }: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: Object.fromEntries([...headers, ["accept-encoding", "identity"]]),
    body,
    signal,
  });
}

function redirectOf({ statusCode, headers }: Dispatcher.ResponseData): string | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  return typeof headers["location"] === "string" ? headers["location"] : undefined;
}

function follow(request: Request, status: number, location: string, hosts: readonly string[]): Request {
  const { host } = request.url;
  if (!URL.canParse(location, request.url.href)) throw new CapabilityError(`fetch of ${host}: redirected to something that is no URL`);
  let url: URL;
  try {
    url = readTarget(new URL(location, request.url.href).href, hosts);
  } catch (error) {
    throw error instanceof CapabilityError ? new CapabilityError(`fetch of ${host}: redirected; ${error.message}`) : error;
  }
  const headers = url.origin === request.url.origin ? request.headers : forAnotherHost(request.headers);
  const becomesGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST";
  return becomesGet ? { url, method: "GET", headers: withoutBody(headers), body: null } : { ...request, url, headers };
}

async function readReply(reply: Dispatcher.ResponseData, { url, method }: Request, limits: FetchLimits): Promise<FetchValue> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body) {
    if (!(chunk instanceof Uint8Array)) throw new Error("a body of something else than bytes");
    bytes += chunk.length;
    // Leaving the loop destroys the body, and the connection with it.
    if (bytes > limits.responseBytes) throw tooLarge(url.host, limits);
    chunks.push(chunk);
  }
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(reply.headers)) {
    // Nothing is kept from one fetch to the next, cookies least of all.
    if (value !== undefined && !name.startsWith("set-cookie")) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const body = method === "HEAD" ? Buffer.alloc(0) : await decompress(Buffer.concat(chunks), encoding, url.host, limits);
  if (encoding !== "identity") for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body: new TextDecoder().decode(body) };
}

/** `identity` was asked for; some compress nevertheless. */
async function decompress(bytes: Buffer, encoding: string, host: string, limits: FetchLimits): Promise<Uint8Array> {
  if (encoding === "identity" || encoding === "" || bytes.length === 0) return bytes;
  const decoder = decoderOf(encoding);
  if (decoder === undefined) throw new CapabilityError(`fetch of ${host}: the reply has an encoding that is not known here`);
  try {
    return await decoder(bytes, { maxOutputLength: limits.responseBytes });
  } catch (error) {
    if (errorCode(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(host, limits);
    throw new CapabilityError(`fetch of ${host}: the compressed reply is broken`);
  }
}

function decoderOf(encoding: string): ((bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>) | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return promisify(gunzip);
    case "deflate":
      return promisify(inflate);
    case "br":
      return promisify(brotliDecompress);
    case "zstd":
      return promisify(zstdDecompress);
    default:
      return undefined;
  }
}

function tooLarge(host: string, { responseBytes }: FetchLimits): CapabilityError {
  return new CapabilityError(`fetch of ${host}: the reply is larger than ${responseBytes} bytes`);
}

/** Puts what went wrong into words without quoting anything that came over the network. */
function explain(error: unknown, url: string, limits: FetchLimits): unknown {
  const found =
    error instanceof AggregateError ? (error.errors.find((inner) => inner instanceof CapabilityError) ?? error.errors[0]) : error;
  if (found instanceof CapabilityError) return found;
  const host = URL.canParse(url) ? new URL(url).host : "the host";
  if (found instanceof Error && found.name === "TimeoutError")
    return new CapabilityError(`fetch of ${host}: took longer than ${limits.totalMs} ms`);
  if (found instanceof errors.ConnectTimeoutError)
    return new CapabilityError(`fetch of ${host}: no connection within ${limits.connectMs} ms`);
  const code = errorCode(found);
  return code === undefined || !/^[A-Z_0-9]+$/.test(code) ? error : new CapabilityError(`fetch of ${host} failed (${code})`);
}
