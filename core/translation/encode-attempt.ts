/** Puts a request on the wire of one deployment: the client's own bytes where both speak the same dialect, a translation elsewhere. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Dialect, HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import type { Outbound } from "../../sdk/provider.ts";
import type { ReplyReader } from "../../sdk/wire.ts";
import { createMadeBody } from "../body/made-body.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { Registry } from "../registry.ts";
import type { Deployment } from "../routing/deployment.ts";
import { withCacheMarks } from "./cache-marks.ts";
import { applyOutgoingParams, applyOutgoingParamsToBytes } from "./outgoing-params.ts";
import { isFiltered } from "./filtered-events.ts";
import { version } from "../version.ts";

/** One attempt, ready to be authorized and sent. */
export interface Sending {
  readonly outbound: Outbound;
  readonly deployment: Deployment;
  /** That of the upstream. */
  readonly dialect: Dialect;
  /** Whose bytes come back; undefined where they have to be translated first, by `reader`. */
  readonly format: Reply["format"] | undefined;
  readonly reader: ReplyReader | undefined;
}

export interface EncodeOptions {
  /** The request of the hub as hooks made it for this attempt; undefined: as the exchange has it. */
  readonly body: RequestBody | undefined;
  /** The upstream refused the thinking that was sealed for it. */
  readonly withoutThinking: boolean;
}

/**
 * @returns undefined where the upstream has no such operation
 * @throws ProxyError 400 for what cannot be asked on that wire, or is no request in the client's own
 */
export function encodeAttempt(exchange: Exchange, deployment: Deployment, registry: Registry, options: EncodeOptions): Sending | undefined {
  const { provider } = deployment;
  if (provider === undefined) throw new Error(`deployment "${deployment.deploymentId}" has no provider, yet it was planned`);
  const { operation } = exchange;
  const spoken = provider.dialects(deployment.question, operation);
  const passes = spoken.includes(exchange.dialect) && mayPass(exchange, deployment, options);
  const dialect = registry.dialects.get(passes ? exchange.dialect : (spoken.find((name) => canSend(registry.dialects.get(name))) ?? ""));
  if (dialect?.wire === undefined || (operation === "embeddings" && !passes)) return undefined;
  if (!passes && dialect.wire.encode !== undefined && operation === "count_tokens") return undefined;

  const encoded = passes ? undefined : encodeHub(exchange, deployment, dialect, options);
  const body = encoded?.body ?? passedBody(exchange, deployment, dialect, { ...options, passes });
  const stream = exchange.facts.stream && operation === "generate";
  const outbound = provider.address(
    {
      dialect: dialect.name,
      operation,
      stream,
      body,
      path: passes ? exchange.path : "",
      search: passes ? exchange.search : "",
      headers: passes ? exchange.headers.endToEnd : [...ownHeaders(stream), ...(encoded?.headers ?? [])],
    },
    deployment,
  );
  const format = passes ? "client" : encoded === undefined ? "hub" : undefined;
  return { outbound, deployment, dialect, format, reader: encoded?.reader };
}

/** The hub's own vocabulary may pass whatever became of it; bytes of another dialect only as they came, where nobody looks at the reply. */
function mayPass(exchange: Exchange, deployment: Deployment, { body }: EncodeOptions): boolean {
  if (exchange.dialect === hubDialect || exchange.operation === "embeddings") return true;
  return !exchange.isEdited && body === undefined && !looksAtReply(exchange) && !isFiltered(deployment);
}

function looksAtReply({ userProgram }: Exchange): boolean {
  return userProgram !== undefined && (userProgram.hooks("onEvent").length > 0 || userProgram.hooks("postCall").length > 0);
}

function canSend(dialect: Dialect | undefined): boolean {
  return dialect?.wire !== undefined && (dialect.name === hubDialect || dialect.wire.encode !== undefined);
}

interface PassOptions extends EncodeOptions {
  readonly passes: boolean;
}

/** In the upstream's own dialect already. */
function passedBody(exchange: Exchange, deployment: Deployment, { wire }: Dialect, { passes, ...options }: PassOptions): RequestBody {
  const body = bodyToPass(exchange, options, passes);
  const note = exchange.note("call");
  const isWrittenForIt = exchange.dialect === hubDialect && exchange.modelAsked === deployment.model;
  const marked = exchange.dialect === hubDialect || passes ? body : withCacheMarks(body);
  const fitting = isWrittenForIt ? marked : (wire?.fit?.(marked, deployment, note) ?? marked);
  const adapted = wire?.adapt(fitting, deployment, exchange.operation) ?? fitting;
  return applyOutgoingParamsToBytes(adapted, deployment.params, note);
}

function bodyToPass(exchange: Exchange, { body }: EncodeOptions, passes: boolean): RequestBody {
  if (passes && exchange.dialect !== hubDialect && exchange.operation !== "embeddings") return exchange.received.body;
  return body ?? exchange.request;
}

interface EncodedHub {
  readonly body: RequestBody;
  readonly headers: HeaderList | undefined;
  readonly reader: ReplyReader;
}

/** Undefined where the upstream speaks the hub's own vocabulary. */
function encodeHub(exchange: Exchange, deployment: Deployment, { name, wire }: Dialect, options: EncodeOptions): EncodedHub | undefined {
  if (wire?.encode === undefined) return undefined;
  const body = options.body ?? exchange.request;
  const note = exchange.note("call");
  const request = {
    body: body.json(),
    session: exchange.facts.session,
    estimatedInputTokens: Math.ceil(exchange.received.body.bytes.length / bytesPerToken),
    withoutThinking: options.withoutThinking,
  };
  const encoded = wire.encode(request, deployment, note);
  exchange.trace.add("call", "translated", { from: exchange.dialect, to: name });
  const outgoing = applyOutgoingParams(encoded.body, deployment.params, note);
  return { body: createMadeBody(outgoing), headers: encoded.headers, reader: encoded.reader };
}

/** Of JSON, markup and all. */
const bytesPerToken = 4;

/** Of a request that was made here: what the client said of itself was meant for another wire. */
function ownHeaders(stream: boolean): HeaderList {
  return [
    ["content-type", "application/json"],
    ["accept", stream ? "text/event-stream" : "application/json"],
    ["user-agent", `ccproxy/${version}`],
  ];
}

/** What a caller is told that asked for something its deployment cannot do. */
export function lacksOperation({ operation, dialect }: Exchange, deployment: Deployment): ProxyError {
  const what = operation === "embeddings" ? "embeddings" : "this operation";
  const message = `The provider "${deployment.providerName}" of the deployment "${deployment.deploymentId}" has no ${what} for clients that speak ${dialect}. Route the request to a deployment that has.`;
  return new ProxyError(message, { status: 501, kind: "not_supported", headers: { "x-should-retry": "false" } });
}
