/** Every way in which one request may go wrong, to be drawn from at random. */

import * as fc from "fast-check";

import { answers, chunk, hangsUp, head, inBandError, inOrder, plain, raw, refuses, resets, silent, streams } from "./acts.ts";
import type { Act } from "./upstream.ts";

/** Whom it concerns: the request, so that nobody else is asked; this deployment; or nobody, for an answer came that is one. */
type Concern = "request" | "deployment" | "nobody";

/** What a test prints when it fails: the name alone tells what the host did. */
export interface Fault {
  readonly name: string;
  /** @param tag stands in everything it says, so that nobody else can have said it */
  readonly act: (tag: string) => Act;
  readonly concerns: (stream: boolean) => Concern;
  /** Whether the same deployment may be asked again, where there is no other. */
  readonly isAgain: boolean;
  /** Whether it ends by a time limit. */
  readonly isSlow: boolean;
  readonly [fc.toStringMethod]: () => string;
}

type Traits = Partial<Omit<Fault, "concerns"> & { readonly concerns: Concern }>;

function fault(name: string, act: Fault["act"], { concerns = "deployment", isAgain = true, isSlow = false }: Traits = {}): Fault {
  return { name, act, concerns: () => concerns, isAgain, isSlow, [fc.toStringMethod]: () => name };
}

const ofRequest = new Set([400, 413]);
const ofKey = new Set([401, 403, 404, 429]);
const statuses = [400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 529];

/** A stream that is broken there; whoever asked for no stream gets a whole reply that is. */
function breaks(at: "before" | "behind", how: "end" | "fin" | "reset" | "error"): Fault {
  const place = at === "before" ? { pieces: 1 } : { content: 2 };
  const act: Fault["act"] = (tag) => async (line) => {
    if (line.asked.stream) return streams(`${tag} says this`, { at: place, how: how === "error" ? inBandError(line.wire) : how })(line);
    if (how === "error") return refuses(200, { type: line.wire.name === "anthropic" ? "api_error" : "server_error", message: tag })(line);
    const body = Buffer.from(JSON.stringify(line.wire.whole({ parts: [{ type: "text", text: `${tag} says this` }] }, line.asked)));
    await plain(200, body.subarray(0, at === "before" ? 0 : body.length / 2), { "content-length": String(body.length) })(line);
    if (how === "reset") line.reset();
    else line.finish();
  };
  const made = fault(`${how} ${at} content`, act);
  return at === "before" ? made : { ...made, concerns: (stream) => (stream ? "nobody" : "deployment") };
}

const noneOfHost = { isAgain: false };
const slow = { isSlow: true };

const faults: readonly Fault[] = [
  ...statuses.map((status) =>
    fault(`${status}`, (tag) => refuses(status, { message: tag, headers: { "retry-after-ms": "1" } }), {
      concerns: ofRequest.has(status) ? "request" : "deployment",
      isAgain: !ofKey.has(status),
    }),
  ),
  fault("429 for 30 s", (tag) => refuses(429, { message: tag, headers: { "retry-after": "30" } }), noneOfHost),
  fault("503 for 30 s", (tag) => refuses(503, { message: tag, headers: { "retry-after": "30" } }), noneOfHost),
  fault("429, used up", (tag) => refuses(429, { message: tag, headers: usedUp("five_hour") }), noneOfHost),
  fault("429, one model used up", (tag) => refuses(429, { message: tag, headers: usedUp("seven_day_opus") }), noneOfHost),
  fault("500 that is not to be repeated", (tag) => refuses(500, { message: tag, headers: { "x-should-retry": "false" } }), noneOfHost),
  fault("too long", (tag) => refuses(400, { message: `prompt is too long: 250000 tokens > 200000 maximum (${tag})` }), {
    concerns: "request",
  }),
  fault("hangs up", () => hangsUp),
  fault("resets", () => resets),
  fault("is silent", () => silent, slow),
  fault("stalls before content", () => streams("never said", { at: { pieces: 1 }, how: "stall" }), slow),
  fault("stalls behind content", (tag) => streams(`${tag} says this`, { at: { content: 2 }, how: "stall" }), slow),
  fault("stalls within an event", (tag) => streams(`${tag} says this`, { at: { content: 2, more: 20 }, how: "stall" }), slow),
  ...(["end", "fin", "reset", "error"] as const).flatMap((how) => [breaks("before", how), breaks("behind", how)]),
  fault("page", () => plain(200, "<html>Sign in</html>", { "content-type": "text/html" }), noneOfHost),
  fault("empty body", () => plain(200, "")),
  fault("empty object", () => plain(200, "{}")),
  fault("empty stream", () => plain(200, "", { "content-type": "text/event-stream" })),
  fault("no JSON", () => plain(200, '{"half')),
  fault("no HTTP", () => raw("\u0000 what?\r\n\r\n")),
  fault("redirect", () => plain(302, "", { location: "http://elsewhere.test/" }), noneOfHost),
  fault("chunk of no size", () => raw(`${head(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked" })}zz\r\n`)),
  fault("hints, then nothing", () => inOrder(raw(head(103, { link: "x" })), hangsUp)),
  fault("used up, but answered", (tag) => answers(`${tag} says this`, usedUp("five_hour")), { concerns: "nobody" }),
  fault("broken gzip", () => plain(200, "no gzip at all", { "content-encoding": "gzip" })),
  fault(
    "pings for ever",
    () => async (line) => {
      line.write(head(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked" }));
      const timer = setInterval(() => line.write(chunk(Buffer.from(": ping\n\n"))), 20);
      await line.closed;
      clearInterval(timer);
    },
    slow,
  ),
];

function usedUp(claim: string): Readonly<Record<string, string>> {
  const prefix = "anthropic-ratelimit-unified";
  return {
    [`${prefix}-status`]: "rejected",
    [`${prefix}-representative-claim`]: claim,
    [`${prefix}-reset`]: String(Math.ceil(Date.now() / 1000) + 60),
  };
}

/** What one deployment does, request by request; behind it, it answers. */
export const anySchedule: fc.Arbitrary<readonly Fault[]> = fc.array(fc.constantFrom(...faults), { maxLength: 6 });

/** The same, without those that wait for a time limit. */
export const quickSchedule: fc.Arbitrary<readonly Fault[]> = fc.array(fc.constantFrom(...faults.filter(({ isSlow }) => !isSlow)), {
  maxLength: 3,
});

export function actsOf(name: string, schedule: readonly Fault[]): readonly Act[] {
  return [...schedule.map(({ act }, index) => act(`<${name}${index}>`)), (line) => answers(`<${name}${line.index}> says this`)(line)];
}
