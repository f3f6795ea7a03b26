import * as fc from "fast-check";
import { expect, test } from "vitest";

import { Slots, slotLimit } from "../../../core/routing/slots.ts";
import { type Choosing, choosingBy, snapshotOf } from "../../helpers/choosing.ts";

/** What has to be true of cooldowns, sessions and slots, said without a store. */
interface Model {
  time: number;
  /** By key. */
  readonly cooledUntil: Map<string, number>;
  readonly bound: Map<string, { readonly id: string; readonly until: number }>;
  /** By deployment, in the order in which they came. */
  readonly attempts: Map<string, { readonly number: number; state: "waiting" | "open" }[]>;
  made: number;
}

interface OpenAttempt {
  readonly number: number;
  readonly id: string;
  readonly session: string | undefined;
  readonly client: AbortController;
  /** Once it has its slot. */
  release?: () => void;
}

interface Real {
  readonly setup: Choosing;
  readonly slots: Slots;
  readonly attempts: Map<number, OpenAttempt>;
}

type Command = fc.AsyncCommand<Model, Real>;

const ttlMs = 2000;
const ids = ["a", "b", "c", "d"] as const;
const orders: Readonly<Record<string, number>> = { a: 1, b: 1, c: 2, d: Infinity };
const limits: Readonly<Record<string, number | undefined>> = { a: 1, b: 2, c: undefined, d: undefined };

/** `c` and `d` share a key. */
function keysOf(setup: Choosing, id: string): readonly [string, string] {
  const deployment = setup.leg().deployments.find(({ deploymentId }) => deploymentId === id);
  return [`deployment:${id}`, `account:${deployment?.account ?? ""}`];
}

function msLeft(model: Model, setup: Choosing, id: string): number {
  return Math.max(0, ...keysOf(setup, id).map((key) => (model.cooledUntil.get(key) ?? 0) - model.time));
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** The store and the slots say what the model says. */
async function checkBooks({ attempts }: Model, { setup, slots }: Real): Promise<void> {
  await settle();
  const states = setup.store.read(ids);
  for (const [index, id] of ids.entries()) {
    const all = attempts.get(id) ?? [];
    const open = all.filter(({ state }) => state === "open").length;
    expect(states[index]?.inFlight).toBe(open);
    const limit = limits[id];
    expect(slots.usage(id)).toEqual(limit === undefined ? { taken: 0, waiting: 0 } : { taken: open, waiting: all.length - open });
    if (limit !== undefined) expect(open).toBeLessThanOrEqual(limit);
  }
}

/** Somebody's slot is free: the first who waits has it. */
function admit({ attempts }: Model, id: string): void {
  const all = attempts.get(id) ?? [];
  const limit = limits[id] ?? Infinity;
  for (const each of all) if (each.state === "waiting" && all.filter(({ state }) => state === "open").length < limit) each.state = "open";
}

class Advance implements Command {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = (): boolean => true;
  async run(model: Model, { setup }: Real): Promise<void> {
    model.time += this.ms;
    setup.advance(this.ms);
  }
  toString = (): string => `advance(${this.ms})`;
}

class Cool implements Command {
  readonly id: string;
  readonly scope: 0 | 1;
  readonly ms: number;
  constructor(id: string, scope: 0 | 1, ms: number) {
    this.id = id;
    this.scope = scope;
    this.ms = ms;
  }
  check = (): boolean => true;
  async run(model: Model, { setup }: Real): Promise<void> {
    const key = keysOf(setup, this.id)[this.scope];
    setup.cool(key, this.ms);
    model.cooledUntil.set(key, Math.max(model.cooledUntil.get(key) ?? 0, model.time + this.ms));
  }
  toString = (): string => `cool(${this.id}, ${this.scope === 0 ? "deployment" : "account"}, ${this.ms})`;
}

/** A request comes, some deployments having failed for it already; it takes its slot, or waits for one. */
class Ask implements Command {
  readonly session: string | undefined;
  readonly tried: ReadonlyMap<string, number>;
  constructor(session: string | undefined, tried: readonly (readonly [string, number])[]) {
    this.session = session;
    this.tried = new Map(tried);
  }
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    const { setup, slots } = real;
    const { session, tried } = this;
    const asked = { ...(session === undefined ? {} : { session }), tried: Object.fromEntries(tried) };
    const choice = await setup.choose(asked);
    if (choice.type === "none") throw new Error(`nobody was chosen: ${choice.error.message}`);
    const { deployment } = choice.target;
    const id = deployment.deploymentId;

    const usable = ids.filter((each) => msLeft(model, setup, each) === 0);
    const untried = usable.filter((each) => !tried.has(each));
    const failures = (each: string): number => tried.get(each) ?? 0;
    if (usable.length === 0) {
      expect(choice.by).toBe("panic");
      const fewest = Math.min(...ids.map(failures));
      const shortest = Math.min(...ids.filter((each) => failures(each) === fewest).map((each) => msLeft(model, setup, each)));
      expect([failures(id), msLeft(model, setup, id)]).toEqual([fewest, shortest]);
    } else {
      expect(choice.by).not.toBe("panic");
      expect(usable).toContain(id);
      if (untried.length > 0) expect(untried).toContain(id);
      expect(choice.others).toBe(untried.filter((each) => each !== id).length);
      const fewest = Math.min(...usable.map(failures));
      const first = Math.min(...usable.filter((each) => failures(each) === fewest).map((each) => orders[each] ?? 0));
      expect([failures(id), orders[id]]).toEqual([fewest, first]);
      const bound = session === undefined ? undefined : model.bound.get(session);
      const mayStay = bound !== undefined && bound.until > model.time && usable.some((each) => each === bound.id);
      if (mayStay && failures(bound.id) === fewest && orders[bound.id] === first) expect(id).toBe(bound.id);
      else expect(choice.by).not.toBe("affinity");
    }

    const number = model.made++;
    const attempt: OpenAttempt = { number, id, session, client: new AbortController() };
    real.attempts.set(number, attempt);
    model.attempts.set(id, [...(model.attempts.get(id) ?? []), { number, state: "waiting" }]);
    admit(model, id);
    const begin = async (): Promise<void> => {
      try {
        attempt.release = await slots.acquire(id, slotLimit(deployment.routing, undefined), attempt.client.signal);
        setup.store.begin(id);
      } catch {
        // It has left.
      }
    };
    void begin();
    await checkBooks(model, real);
  }
  toString = (): string => `ask(${this.session ?? "no session"}, tried ${JSON.stringify([...this.tried])})`;
}

/** An attempt ends, or its client leaves before it has begun. */
class End implements Command {
  readonly which: number;
  readonly outcome: "success" | "failure" | "none";
  constructor(which: number, outcome: "success" | "failure" | "none") {
    this.which = which;
    this.outcome = outcome;
  }
  check = ({ attempts }: Readonly<Model>): boolean => [...attempts.values()].some((all) => all.length > 0);
  async run(model: Model, real: Real): Promise<void> {
    const { setup } = real;
    const all = [...real.attempts.values()];
    const attempt = all[this.which % all.length];
    if (attempt === undefined) throw new Error("there is no attempt");
    const { id, number, session, client, release } = attempt;
    const own = model.attempts.get(id)?.find((each) => each.number === number);
    expect(release !== undefined).toBe(own?.state === "open");
    real.attempts.delete(number);
    model.attempts.set(
      id,
      (model.attempts.get(id) ?? []).filter((each) => each !== own),
    );
    client.abort(new Error("over"));
    if (release !== undefined) {
      setup.store.end(id, { outcome: this.outcome, tokens: 1, latency: 0.1, firstContent: undefined });
      // Nothing comes of saying it twice.
      release();
      release();
      if (this.outcome === "success" && session !== undefined) {
        await setup.bind(session, id);
        model.bound.set(session, { id, until: model.time + ttlMs });
      }
    }
    admit(model, id);
    await checkBooks(model, real);
  }
  toString = (): string => `end(${this.which}, ${this.outcome})`;
}

const id = fc.constantFrom(...ids);
const commands = fc.commands(
  [
    fc.integer({ min: 1, max: 1500 }).map((ms) => new Advance(ms)),
    fc.tuple(id, fc.constantFrom(0 as const, 1 as const), fc.integer({ min: 1, max: 3000 })).map((args) => new Cool(...args)),
    fc
      .tuple(
        fc.option(fc.constantFrom("s1", "s2"), { nil: undefined, freq: 3 }),
        fc.uniqueArray(fc.tuple(id, fc.integer({ min: 1, max: 2 })), { selector: ([each]) => each, maxLength: 4 }),
      )
      .map((args) => new Ask(...args)),
    fc.constantFrom("s1", "s2").map((session) => new Ask(session, [])),
    fc
      .tuple(fc.nat(50), fc.constantFrom("success" as const, "success" as const, "failure" as const, "none" as const))
      .map((args) => new End(...args)),
  ],
  { maxCommands: 60, size: "max" },
);

test.each(["simple-shuffle", "least-busy", "latency-based-routing", "usage-based-routing-v2", "cost-based-routing"])(
  "with %s: nobody out of use is asked but in a panic, nobody twice while another is left, sessions stay, and all slots come back",
  async (name) => {
    const snapshot = await snapshotOf(
      ids.map((each) => ({
        id: each,
        apiKey: each === "d" ? "key of c" : `key of ${each}`,
        routing: { order: orders[each] === Infinity ? undefined : orders[each], maxParallelRequests: limits[each] },
      })),
      { strategy: { name, args: {}, location: undefined }, affinity: { enabled: true, ttlMs } },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const setup = choosingBy(snapshot);
        const model: Model = { time: 0, cooledUntil: new Map(), bound: new Map(), attempts: new Map(), made: 0 };
        const real: Real = { setup, slots: new Slots(), attempts: new Map() };
        await fc.asyncModelRun(() => ({ model, real }), steps);
        // Those that wait have their turn as the others end.
        while (real.attempts.size > 0) await new End(0, "none").run(model, real);
        expect(setup.store.read(ids).map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
        expect(ids.map((each) => real.slots.usage(each))).toEqual(ids.map(() => ({ taken: 0, waiting: 0 })));
      }),
      { numRuns: 100 },
    );
  },
);
