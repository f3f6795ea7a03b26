/** The door: refuses what no honest client of a local proxy sends, before anything else looks at it. */

import type { IncomingMessage } from "node:http";

import type { Middleware } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import { isLoopback } from "../listen.ts";

export interface GatePolicy {
  /** Host names accepted whatever the port, besides the loopback names on our own port. */
  readonly allowedHosts: readonly string[];
  /** Whether requests may also name the address beyond loopback they reached us at (bound there, so a key is required). */
  readonly acceptLocalAddress: boolean;
}

/** Made by `ccproxy run` for its child: which token it holds and which trusted project file applies. */
export interface RunPrefix {
  readonly localToken: string | undefined;
  readonly project: string | undefined;
}

declare module "koa" {
  interface DefaultState {
    run: RunPrefix;
  }
}

/** @param policy read per request, so that a reload takes effect */
export function createGate(policy: () => GatePolicy): Middleware {
  return async function gate(ctx, next) {
    checkTarget(ctx.req.url ?? "");
    checkFraming(ctx.req);
    checkHost(ctx.req, policy());
    checkBrowser(ctx.req);
    const { run, rest } = splitRunPrefix(ctx.req.url ?? "/");
    ctx.state.run = run;
    if (rest !== ctx.req.url) ctx.url = rest;
    await next();
  };
}

/** One spelling per path, so that what is authorised is what is served. */
function checkTarget(url: string): void {
  const end = url.indexOf("?");
  const path = end < 0 ? url : url.slice(0, end);
  const plain =
    path.startsWith("/") && !path.includes("//") && !/[\\\0]|%2f|%5c|%00|%2e|(^|\/)\.{1,2}(\/|$)/i.test(path) && !url.includes("#");
  if (!plain) {
    throw new ProxyError("The request target must be a plain path: no absolute URL, no empty, dot or encoded-slash segment.", {
      status: 400,
      kind: "invalid_request_error",
    });
  }
}

/** Node refuses most ambiguous framing itself; it lets unknown transfer codings pass. */
function checkFraming(request: IncomingMessage): void {
  const coding = request.headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    throw new ProxyError(`The transfer coding "${printable(coding)}" is not supported; send content-length, or "chunked".`, {
      status: 400,
      kind: "invalid_request_error",
    });
  }
}

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A page that points its own name at 127.0.0.1 (DNS rebinding) is told by the name it uses. */
function checkHost(request: IncomingMessage, policy: GatePolicy): void {
  const values = rawValues(request, "host");
  const host = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(values.length === 1 ? (values[0] ?? "") : "");
  const name = host?.[1]?.toLowerCase();
  const port = Number(host?.[2] ?? 80);
  if (name !== undefined) {
    if (loopbackNames.has(name) && port === request.socket.localPort) return;
    if (policy.allowedHosts.includes(name)) return;
    const { localAddress = "", localPort } = request.socket;
    // An address cannot be pointed elsewhere as a name can.
    if ((policy.acceptLocalAddress || isLoopback(localAddress)) && port === localPort && name === bracketed(localAddress)) return;
  }
  throw new ProxyError(
    `This proxy does not answer to the host "${printable(values.join(", "))}". Use localhost or 127.0.0.1 with its own port; other names need an entry in ccproxy.allowed_hosts.`,
    { status: 421, kind: "permission_error" },
  );
}

function bracketed(address: string): string {
  const plain = address.replace(/^::ffff:/, "");
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** No web page has any business here: none may send requests, read answers or ask for permission to. */
function checkBrowser(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  const foreignOrigin = origin !== undefined && origin !== `http://${host}`;
  const foreignSite = site !== undefined && site !== "same-origin" && site !== "none";
  if (foreignOrigin || foreignSite || request.method === "OPTIONS") {
    throw new ProxyError("Requests from web pages are refused.", { status: 403, kind: "permission_error" });
  }
  if (request.method === "TRACE" || request.method === "CONNECT") {
    throw new ProxyError(`The method ${request.method} is not supported.`, { status: 405, kind: "invalid_request_error" });
  }
}

const runPrefix = /^\/_run\/([^/?]+)\/([^/?]+)(?=\/|\?|$)/;

/** `/_run/<token or ->/<project or ->/v1/messages` → the prefix's meaning and `/v1/messages`. */
function splitRunPrefix(url: string): { run: RunPrefix; rest: string } {
  const match = runPrefix.exec(url);
  if (match === null) return { run: { localToken: undefined, project: undefined }, rest: url };
  const rest = url.slice(match[0].length);
  return {
    run: { localToken: present(match[1]), project: present(match[2]) },
    rest: rest.startsWith("/") ? rest : `/${rest}`,
  };
}

function present(part: string | undefined): string | undefined {
  return part === "-" ? undefined : part;
}

/** All values of a header: Node keeps only the first of a repeated Host. */
function rawValues(request: IncomingMessage, name: string): readonly string[] {
  const { rawHeaders } = request;
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
