/** Requests through pools of a test's own. */

import { type ConnectionSource, plainConnections } from "../../../core/upstream/connection-settings.ts";
import type { ConnectionConfig } from "../../../core/config/types.ts";
import type { Pools } from "../../../core/upstream/pools.ts";
import { type SendTimeouts, type UpstreamRequest, type UpstreamResponse, send } from "../../../core/upstream/send.ts";
import { type Names, createNames } from "../../../core/upstream/names.ts";

const patient: SendTimeouts = { connectMs: 10_000, headersMs: 60_000, idleMs: 60_000 };

export interface Asking extends Partial<Omit<UpstreamRequest, "timeouts" | "origin">> {
  readonly timeouts?: Partial<SendTimeouts>;
  readonly source?: ConnectionSource;
}

export async function ask(pools: Pools, origin: string, { timeouts, source, ...overrides }: Asking = {}): Promise<UpstreamResponse> {
  return send(pools.get(origin, source), {
    method: "POST",
    path: "/v1/messages",
    headers: [["content-type", "application/json"]],
    body: Buffer.from("{}"),
    signal: new AbortController().signal,
    ...overrides,
    origin,
    timeouts: { ...patient, ...timeouts },
  });
}

export async function text({ body }: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** A free connection is one a turn after its answer. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => void setImmediate(resolve));
}

/** Every name is this machine. */
export function namesHere(): Names {
  return createNames(async () => [{ address: "127.0.0.1", family: 4 }]);
}

export function sourceOf(connections: Partial<ConnectionConfig>, variables: Readonly<Record<string, string>> = {}): ConnectionSource {
  return { connections: { ...plainConnections.connections, ...connections }, variable: (name) => variables[name] };
}
