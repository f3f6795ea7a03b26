/** A chooser over a real configuration, with clocks and chance in the test's hands. */

import { noRequestOptions } from "../../core/attempts/request-options.ts";
import { createRequestBody } from "../../core/body/request-body.ts";
import { type RouterConfig, type RoutingParams, defaultRouter, defaultRouting } from "../../core/config/router-types.ts";
import type { DeploymentConfig } from "../../core/config/types.ts";
import { Exchange } from "../../core/exchange.ts";
import { type Registry, createRegistry } from "../../core/registry.ts";
import type { Choice, Chooser } from "../../core/routing/choice.ts";
import { type ChooserInit, createChooser } from "../../core/routing/chooser.ts";
import { type MemoryRoutingStore, createMemoryRoutingStore } from "../../core/routing/memory-store.ts";
import { resolveLeg } from "../../core/routing/resolve-leg.ts";
import type { Leg, PlannedTarget } from "../../core/routing/leg.ts";
import { type Snapshot, buildSnapshot, withoutUserCode } from "../../core/snapshot.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import type { Operation } from "../../sdk/dialect.ts";
import { deploymentConfig, loadedConfig } from "./config.ts";
import { seeded } from "./seeded.ts";

/** One deployment; what is not said is as usual. The group is `g`, where nothing else is said. */
export interface Wanted extends Omit<Partial<DeploymentConfig>, "routing"> {
  readonly id: string;
  readonly routing?: Partial<RoutingParams>;
}

export interface Asked {
  readonly session?: string;
  readonly tried?: Readonly<Record<string, number>>;
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly body?: Readonly<Record<string, unknown>>;
  readonly operation?: Operation;
}

export interface Choosing {
  readonly chooser: Chooser;
  readonly snapshot: Snapshot;
  readonly store: MemoryRoutingStore;
  /** The question itself, for those who want to see its trace. */
  readonly exchange: (asked?: Asked) => Exchange;
  readonly leg: (name?: string) => Leg;
  readonly choose: (asked?: Asked, exchange?: Exchange) => Promise<Choice>;
  /** Id of the chosen one and by what, such as `a by strategy`, or the status and message of the error. */
  readonly chosen: (asked?: Asked) => Promise<string>;
  /** An answer came from there. */
  readonly bind: (session: string, id: string, name?: string) => Promise<void>;
  readonly cool: (key: string, ms: number) => void;
  /** Attempts that ended. */
  readonly use: (id: string, times: number, tokens?: number) => void;
  readonly advance: (ms: number) => void;
}

const registry: Registry = createRegistry(builtinPlugins);

/** Time zero: the beginning of a minute. */
const zero = 1_800_000_000_000;

export type ChoosingInit = Partial<Omit<ChooserInit, "store">> & {
  readonly wrap?: (store: MemoryRoutingStore) => ChooserInit["store"];
};

export async function choosing(wanted: readonly Wanted[], router: Partial<RouterConfig> = {}, init: ChoosingInit = {}): Promise<Choosing> {
  return choosingBy(await snapshotOf(wanted, router), init);
}

export async function snapshotOf(wanted: readonly Wanted[], router: Partial<RouterConfig> = {}): Promise<Snapshot> {
  const deployments = wanted.map(({ routing, ...each }) =>
    deploymentConfig({
      group: "g",
      model: "anthropic/claude-opus-4-5",
      apiKey: `key of ${each.id}`,
      ...each,
      routing: { ...defaultRouting, ...routing },
    }),
  );
  const loaded = loadedConfig({ deployments, router: { ...defaultRouter, ...router } });
  const { snapshot, faults } = await buildSnapshot(loaded, { registry, loadUserProgram: withoutUserCode }, 1, new Date(zero));
  if (snapshot === undefined) throw new Error(faults.map(({ message }) => message).join("\n"));
  return snapshot;
}

/** Knowing nothing yet. */
export function choosingBy(snapshot: Snapshot, { wrap = (each) => each, ...services }: ChoosingInit = {}): Choosing {
  let ms = 0;
  const wallClock = (): number => zero + ms;
  const store = createMemoryRoutingStore({ now: () => ms, wallClock });
  const chooser = createChooser({ store: wrap(store), random: seeded(7), wallClock, ...services });

  const leg = (name = "g"): Leg => {
    const resolved = resolveLeg(snapshot.routes, { name, overrides: {} });
    if (resolved.type !== "leg") throw new Error(`${name} is ${resolved.type}`);
    return resolved.leg;
  };

  const exchange = ({ session, tags = [], body = {}, operation = "generate", name }: Asked = {}): Exchange => {
    const headers = { get: (header: string) => (header === "x-claude-code-session-id" ? session : undefined), endToEnd: [] };
    const made = new Exchange({
      snapshot,
      ingress: registry.hub,
      operation,
      path: "/v1/messages",
      search: "",
      headers,
      project: undefined,
      now: () => ms,
    });
    const hi = { model: "g", max_tokens: 1, messages: [{ role: "user", content: "hi" }] };
    made.receive(createRequestBody(Buffer.from(JSON.stringify({ ...hi, ...body }))));
    made.options = { ...noRequestOptions, tags };
    made.leg = leg(name);
    return made;
  };

  const choose: Choosing["choose"] = async (asked = {}, made = exchange(asked)) =>
    chooser.choose({ exchange: made, leg: leg(asked.name), tried: new Map(Object.entries(asked.tried ?? {})) });

  return {
    chooser,
    snapshot,
    store,
    exchange,
    leg,
    choose,
    async chosen(asked) {
      const choice = await choose(asked);
      if (choice.type === "none") return `${choice.error.status} ${choice.error.message}`;
      return `${choice.target.deployment.deploymentId} by ${choice.by}`;
    },
    async bind(session, id, name) {
      const { group, deployments: known } = leg(name);
      const deployment = known.find(({ deploymentId }) => deploymentId === id);
      if (deployment === undefined) throw new Error(`${id} is not in ${group}`);
      const target: PlannedTarget = { group, deployment, model: deployment.model };
      await chooser.bind(exchange({ session, ...(name === undefined ? {} : { name }) }), target);
    },
    cool: (key, forMs) => store.cool(key, { ms: forMs, reason: "429", status: 429 }),
    use(id, times, tokens = 0) {
      for (let time = 0; time < times; time++) {
        store.begin(id);
        store.end(id, { outcome: "success", tokens, latency: undefined, firstContent: undefined });
      }
    },
    advance: (by) => void (ms += by),
  };
}
