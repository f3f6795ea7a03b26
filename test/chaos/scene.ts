/** A proxy between clients of any dialect and deployments whose hosts fail as a test says, and what is known of it afterwards. */

import { vi } from "vitest";

import type { DeploymentHealthRow } from "../../core/health/describe.ts";
import { type Answer, type OpenAnswer, ask, openAnswer } from "../helpers/client.ts";
import { statusOf, traceOf, untilIdle } from "../helpers/exchanges.ts";
import { type Proxy, type ProxyOptions, startProxy } from "../helpers/proxy.ts";
import type { SelfSigned } from "../helpers/self-signed.ts";
import { anthropicWire } from "../helpers/wires/anthropic.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import type { Wire } from "../helpers/wires/wire.ts";
import type { ClientName } from "./clients.ts";
import { type Act, type Chaos, type Place, startChaos } from "./upstream.ts";
import { bodyOf, clients } from "./clients.ts";

/** The two wires every case can run on: the client's own, and one that is translated. */
export const wires: Readonly<Record<"anthropic" | "openai-chat", Wire>> = { anthropic: anthropicWire, "openai-chat": openaiChatWire };

export interface Entry {
  /** Its deployment's id, too. */
  readonly name: string;
  readonly wire?: Wire;
  /** The entry whose host it is at, too. Default: a host of its own. */
  readonly at?: string;
  /** Its host speaks TLS, as whoever this says, under the name `localhost`. */
  readonly tls?: SelfSigned;
  /** Default: the group `m`. */
  readonly group?: string;
  /** Of `litellm_params`. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly acts: readonly Act[];
}

export interface SceneOptions extends Omit<ProxyOptions, "config"> {
  readonly entries: readonly Entry[];
  readonly router?: Readonly<Record<string, unknown>>;
  readonly litellm?: Readonly<Record<string, unknown>>;
}

export interface Scene extends AsyncDisposable {
  readonly proxy: Proxy;
  /** Each entry's, on a host of its own. */
  readonly hosts: Readonly<Record<string, Chaos>>;
  readonly places: Readonly<Record<string, Place>>;
  /** Asks the group `m` for a stream, unless told otherwise. */
  ask(options?: Asking): Promise<Answer>;
  open(options?: Asking): Promise<OpenAnswer>;
  /** Of an answer that has ended: who was asked, in their order, and why. */
  attempts(answer: Pick<Answer, "headers">): Promise<readonly string[]>;
  /** How the deployments are, by id. */
  health(): Promise<Readonly<Record<string, DeploymentHealthRow>>>;
  /** What the exchanges ended in, in their order; stops the proxy. */
  records(): Promise<readonly Record<string, unknown>[]>;
  /** Resolves when no exchange is open and nothing is in flight at any deployment. */
  idle(): Promise<void>;
}

export interface Asking {
  readonly client?: ClientName;
  readonly stream?: boolean;
  readonly model?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Waits between attempts are as short as they can be, and of several deployments the first one in the configuration is
 * chosen: all chance comes out as 0. What is counted by the minute is all of one minute.
 */
export async function startScene({ entries, router, litellm, ...options }: SceneOptions): Promise<Scene> {
  const chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const minute = stayInTheMinute();
  const hosts: Record<string, Chaos> = {};
  const places: Record<string, Place> = {};
  for (const { name, at, tls, wire = anthropicWire, acts } of entries) {
    const host = (at === undefined ? undefined : hosts[at]) ?? (await startChaos(tls === undefined ? {} : { tls }));
    hosts[name] = host;
    places[name] = host.place(name, wire, ...acts);
  }
  const config = {
    model_list: entries.map((entry) => modelEntry(entry, places[entry.name]?.url ?? "")),
    ...(router === undefined ? {} : { router_settings: router }),
    ...(litellm === undefined ? {} : { litellm_settings: litellm }),
  };
  const proxy = await startProxy({ ...options, config });
  const addressed = ({
    client = "anthropic",
    headers = {},
  }: Asking): { readonly path: string; readonly headers: Asking["headers"] & {} } => ({
    path: clients[client].path,
    headers,
  });
  return {
    proxy,
    hosts,
    places,
    ask: (asking = {}) => ask(proxy.url, bodyOf(asking), addressed(asking)),
    open: (asking = {}) => openAnswer(proxy.url, bodyOf(asking), addressed(asking)),
    async attempts(answer) {
      const steps = await traceOf(proxy, answer);
      return steps.filter(({ what }) => what === "sending").map(({ detail }) => String(detail?.["deployment"]));
    },
    async health() {
      const { deployments } = await statusOf(proxy);
      return Object.fromEntries(deployments.map((row) => [row.id, row]));
    },
    async records() {
      await untilIdle(proxy);
      await proxy.stop(0);
      return (await proxy.logLines()).filter((line) => line["msg"] === "request");
    },
    async idle() {
      await untilIdle(proxy);
      while ((await statusOf(proxy)).deployments.some(({ inFlight }) => inFlight > 0));
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      for (const host of Object.values(hosts)) await host[Symbol.asyncDispose]();
      chance.mockRestore();
      minute.mockRestore();
    },
  };
}

/** A clock that stops at the end of this minute. */
function stayInTheMinute(): { mockRestore(): void } {
  const now = (): number => Math.floor(performance.timeOrigin + performance.now());
  const lastOfMinute = (Math.floor(now() / 60_000) + 1) * 60_000 - 1;
  return vi.spyOn(Date, "now").mockImplementation(() => Math.min(now(), lastOfMinute));
}

/** An entry of `model_list` for a place. */
function modelEntry(
  { name, wire = anthropicWire, group = "m", params = {} }: Pick<Entry, "name" | "wire" | "group" | "params">,
  url: string,
): unknown {
  const prefix = wire.name === "openai-responses" ? "openai/responses" : "openai";
  const own =
    wire.name === "anthropic"
      ? { model: `anthropic/claude-${name}`, api_base: url, api_key: `sk-ant-key-of-${name}` }
      : { model: `${prefix}/gpt-${name}`, api_base: `${url}/v1`, api_key: `sk-key-of-${name}` };
  return { model_name: group, litellm_params: { ...own, ...params }, model_info: { id: name } };
}
