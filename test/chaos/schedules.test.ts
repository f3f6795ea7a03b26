import { setImmediate as nextTurn } from "node:timers/promises";

import * as fc from "fast-check";
import { expect, it } from "vitest";

import type { TraceStep } from "../../core/trace.ts";
import { type Answer, dial, rawPost } from "../helpers/client.ts";
import { statusOf, traceOf } from "../helpers/exchanges.ts";
import { type ClientName, type Read, bodyOf, clients, parse, readStream } from "./clients.ts";
import { type Fault, actsOf, anySchedule, quickSchedule } from "./faults.ts";
import { closing } from "./acts.ts";
import { type Asking, type Scene, startScene, wires } from "./scene.ts";
import type { Act } from "./upstream.ts";

const names = ["a", "b", "c", "n"] as const;
type Name = (typeof names)[number];
const groups = { m: ["a", "b", "c"], other: ["n"] } as const;
/** One, and two retries. */
const mostOfGroup = 3;
const numRuns = 100;
const hasty = { timeout: 0.2, stream_timeout: 0.2, idle_timeout: 0.15, silence_timeout: 0.2 };
const patient = { timeout: 20 };

interface Plan {
  readonly schedules: Readonly<Record<Name, readonly Fault[]>>;
  readonly foreign: readonly Name[];
  readonly asking: readonly (Asking & { readonly leaves: boolean })[];
  readonly atOnce: boolean;
}

const anyAsking = fc.record({
  client: fc.constantFrom<ClientName>("anthropic", "anthropic", "openai-chat", "openai-responses"),
  stream: fc.constantFrom(true, true, false),
  leaves: fc.constantFrom(false, false, false, false, true),
});

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  schedules: fc.record({ a: anySchedule, b: anySchedule, c: anySchedule, n: anySchedule }),
  foreign: fc.subarray([...names]),
  asking: fc.array(anyAsking, { minLength: 1, maxLength: 4 }),
  atOnce: fc.boolean(),
});

function start(
  { schedules, foreign }: Pick<Plan, "schedules" | "foreign">,
  limits: Readonly<Record<string, number>> = hasty,
  wrap: (act: Act) => Act = (act) => act,
): Promise<Scene> {
  return startScene({
    entries: names.map((name) => ({
      name,
      group: name === "n" ? "other" : "m",
      wire: wires[foreign.includes(name) ? "openai-chat" : "anthropic"],
      acts: actsOf(name, schedules[name]).map(wrap),
      params: limits,
    })),
    router: { fallbacks: [{ m: ["other"] }] },
  });
}

const tags = names.flatMap((name) => Array.from({ length: 40 }, (_, index) => `<${name}${index}>`));

/** The answer is one: of one deployment from its beginning to its end, or an error of the client's protocol. */
function checkAnswer(answer: Answer, { client = "anthropic", stream = true }: Asking): void {
  if (answer.status !== 200) {
    expect([answer.status >= 400, answer.end]).toEqual([true, "clean"]);
    const { of, message } = clients[client].error(answer.json());
    expect([typeof of, typeof message]).toEqual(["string", "string"]);
    // What the caller asked for was the first group.
    expect(message).not.toContain("<n");
    return;
  }
  const isStream = answer.headers["content-type"]?.startsWith("text/event-stream") === true;
  if (!isStream && (answer.end === "broken" || isWhatTheHostSaid(answer))) return;
  // Who asks for none gets one where the host sends one nevertheless.
  expect(isStream || !stream).toBe(true);
  const { text, ending, afterEnd } = isStream ? readStream(answer.text, client) : readWhole(answer, client);
  expect([answer.end, afterEnd]).toEqual(["clean", 0]);
  expect(ending.type).not.toBe("none");
  if (ending.type === "error") {
    expect(tags.some((tag) => `${tag} says this`.startsWith(text))).toBe(true);
    return;
  }
  expect(text).toMatch(/^<[abcn]\d+> says this$/);
  expect(text).toContain(`<${String(answer.headers["x-ccproxy-deployment"])}`);
}

/** What comes whole on the last attempt is handed on as it is, even if it is nothing: a client sees what it would see without a proxy. */
function isWhatTheHostSaid(answer: Answer): boolean {
  const value = parse(answer.text);
  return typeof value !== "object" || value === null || "error" in value || Object.keys(value).length === 0;
}

function readWhole(answer: Answer, client: ClientName): Pick<Read, "text" | "ending" | "afterEnd"> {
  return { text: clients[client].whole(answer.json()), ending: { type: "complete" }, afterEnd: 0 };
}

/** Until when each is out of use, as the traces tell it. */
type Cooled = Map<Name, number>;

/**
 * Each is asked as often as it may be, and none that is out of use where another of its group is not.
 *
 * @param startedAt before anything of the trace: who is out of use since then is so for at least as long
 * @returns attempts
 */
function checkTrace(steps: readonly TraceStep[], cooled: Cooled, startedAt: number): number {
  const isOut = (name: Name): boolean => (cooled.get(name) ?? 0) > performance.now();
  const counts = { m: 0, other: 0 };
  let asked: Name | undefined;
  for (const { what, detail } of steps) {
    // Each has a host and a key of its own.
    if (what === "out of use" && asked !== undefined)
      cooled.set(asked, Math.max(cooled.get(asked) ?? 0, startedAt + Number(detail?.["ms"])));
    if (what !== "sending") continue;
    asked = names.find((each) => each === detail?.["deployment"]);
    if (asked === undefined) throw new Error(`asked ${String(detail?.["deployment"])}`);
    const group = asked === "n" ? "other" : "m";
    counts[group] += 1;
    if (isOut(asked)) expect(groups[group].every((each) => isOut(each))).toBe(true);
  }
  expect(counts.m).toBeLessThanOrEqual(mostOfGroup);
  expect(counts.other).toBeLessThanOrEqual(mostOfGroup);
  return counts.m + counts.other;
}

/** Nothing is under way, on either side. @param most attempts */
async function checkRest(scene: Scene, most: number): Promise<void> {
  await scene.idle();
  const { deployments, upstreams, openExchanges } = await statusOf(scene.proxy);
  expect(openExchanges).toBe(0);
  expect(deployments.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
  expect(upstreams.filter(({ inFlight, queued, retries }) => inFlight + queued + retries > 0)).toEqual([]);
  // A minute may have begun meanwhile.
  expect(deployments.reduce((sum, { minute }) => sum + minute.requests, 0)).toBeLessThanOrEqual(most);
  // Hosts that hang have been left.
  for (const host of Object.values(scene.hosts)) while (host.busy > 0) await nextTurn();
}

async function leave(scene: Scene, asking: Asking): Promise<undefined> {
  const client = await dial(scene.proxy.url);
  const { path } = clients[asking.client ?? "anthropic"];
  client.write(rawPost(scene.proxy.url, bodyOf(asking)).replace("/v1/messages", path));
  while ((await statusOf(scene.proxy)).openExchanges === 0 && client.text === "");
  client.socket.destroy();
  return undefined;
}

async function run({ asking, atOnce, ...plan }: Plan): Promise<void> {
  await using scene = await start(plan);
  const cooled: Cooled = new Map();
  let made: number | undefined = atOnce ? undefined : 0;
  const one = async ({ leaves, ...each }: Plan["asking"][number]): Promise<void> => {
    const startedAt = performance.now();
    // A whole reply that breaks before its first byte is cut off, and nothing else.
    const answer = await (leaves ? leave(scene, each) : scene.ask(each).catch(() => undefined));
    if (answer === undefined) {
      made = undefined;
      return;
    }
    checkAnswer(answer, each);
    await scene.idle();
    const attempts = checkTrace(await traceOf(scene.proxy, answer), atOnce ? new Map() : cooled, startedAt);
    if (made !== undefined) made += attempts;
  };
  if (atOnce) await Promise.all(asking.map(one));
  else for (const each of asking) await one(each);
  await checkRest(scene, made ?? 2 * mostOfGroup * asking.length);
}

it("whatever the hosts do: one answer or one error, no more attempts than allowed, and nothing left behind", async () => {
  await fc.assert(fc.asyncProperty(anyPlan, run), { numRuns, endOnFailure: false });
}, 120_000);

/** Who is asked by the first request, one after the other: each of the group once, then the fallback up to three times. */
function foresee(schedules: Plan["schedules"], stream: boolean): readonly Name[] {
  const asked: Name[] = [];
  for (const name of groups.m) {
    asked.push(name);
    const concern = schedules[name][0]?.concerns(stream) ?? "nobody";
    if (concern === "nobody") return asked;
    if (concern === "request") break;
  }
  for (let count = 0; count < mostOfGroup; count++) {
    asked.push("n");
    const fault = schedules.n[count];
    if (fault === undefined || fault.concerns(stream) !== "deployment" || !fault.isAgain) break;
  }
  return asked;
}

it("who is asked, and how often, follows from what the hosts do", async () => {
  const anyCase = fc.record({
    schedules: fc.record({ a: quickSchedule, b: quickSchedule, c: quickSchedule, n: quickSchedule }),
    foreign: fc.subarray([...names]),
    asking: anyAsking.map(({ client, stream }) => ({ client, stream })),
  });
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ asking, ...plan }) => {
      await using scene = await start(plan, patient, closing);
      await scene.ask(asking).catch(() => undefined);
      const wanted = foresee(plan.schedules, asking.stream);
      for (const name of names)
        expect([name, scene.places[name]?.heard.length]).toEqual([name, wanted.filter((each) => each === name).length]);
    }),
    { numRuns },
  );
}, 120_000);
