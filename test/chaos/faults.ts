/** Every way in which one request may go wrong, to be drawn from at random. */

import fc from "fast-check";

import { answers, chunk, hangsUp, head, inBandError, inOrder, plain, raw, refuses, resets, silent, streams } from "./acts.ts";
import type { Act } from "./upstream.ts";

/** What a test prints when it fails: the name alone tells what the host did. */
export interface Fault {
  readonly name: string;
  /** @param tag stands in everything it says, so that nobody else can have said it */
  readonly act: (tag: string) => Act;
  readonly [fc.toStringMethod]: () => string;
}

const fault = (name: string, act: Fault["act"]): Fault => ({ name, act, [fc.toStringMethod]: () => name });

const statuses = [400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 529];

/** A whole reply, or a stream that is broken there; whoever asked for no stream gets a whole reply that is. */
function breaks(at: "before" | "behind", how: "end" | "fin" | "reset" | "error"): Fault {
  const pieces = at === "before" ? { pieces: 1 } : { content: 2 };
  return fault(`${how} ${at} content`, (tag) => async (line) => {
    if (line.asked.stream) return streams(`${tag} says this`, { at: pieces, how: how === "error" ? inBandError(line.wire) : how })(line);
    if (how === "error") return refuses(200, { message: tag })(line);
    const body = Buffer.from(JSON.stringify(line.wire.whole({ parts: [{ type: "text", text: `${tag} says this` }] }, line.asked)));
    await plain(200, body.subarray(0, at === "before" ? 0 : body.length / 2), { "content-length": String(body.length) })(line);
    if (how === "reset") line.reset();
    else line.finish();
  });
}

const faults: readonly Fault[] = [
  ...statuses.map((status) => fault(`${status}`, (tag) => refuses(status, { message: tag, headers: { "retry-after-ms": "1" } }))),
  fault("429 for 30 s", (tag) => refuses(429, { message: tag, headers: { "retry-after": "30" } })),
  fault("429, used up", (tag) => refuses(429, { message: tag, headers: usedUp("five_hour") })),
  fault("429, one model used up", (tag) => refuses(429, { message: tag, headers: usedUp("seven_day_opus") })),
  fault("500 that is not to be repeated", (tag) => refuses(500, { message: tag, headers: { "x-should-retry": "false" } })),
  fault("too long", (tag) => refuses(400, { message: `prompt is too long: 250000 tokens > 200000 maximum (${tag})` })),
  fault("hangs up", () => hangsUp),
  fault("resets", () => resets),
  fault("is silent", () => silent),
  fault("stalls before content", () => streams("never said", { at: { pieces: 1 }, how: "stall" })),
  fault("stalls behind content", (tag) => streams(`${tag} says this`, { at: { content: 2 }, how: "stall" })),
  fault("stalls within an event", (tag) => streams(`${tag} says this`, { at: { content: 2, more: 20 }, how: "stall" })),
  ...(["end", "fin", "reset", "error"] as const).flatMap((how) => [breaks("before", how), breaks("behind", how)]),
  fault("page", () => plain(200, "<html>Sign in</html>", { "content-type": "text/html" })),
  fault("empty body", () => plain(200, "")),
  fault("empty object", () => plain(200, "{}")),
  fault("empty stream", ({ length }) => plain(200, "", { "content-type": "text/event-stream", "x-length": String(length) })),
  fault("no JSON", () => plain(200, '{"half')),
  fault("no HTTP", () => raw("\u0000 what?\r\n\r\n")),
  fault("redirect", () => plain(302, "", { location: "http://elsewhere.test/" })),
  fault("chunk of no size", () => raw(`${head(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked" })}zz\r\n`)),
  fault("hints, then nothing", () => inOrder(raw(head(103, { link: "x" })), hangsUp)),
  fault("used up, but answered", (tag) => answers(`${tag} says this`, usedUp("five_hour"))),
  fault("broken gzip", () => plain(200, "no gzip at all", { "content-encoding": "gzip" })),
  fault("pings for ever", () => async (line) => {
    line.write(head(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked" }));
    const timer = setInterval(() => line.write(chunk(Buffer.from(": ping\n\n"))), 20);
    await line.closed;
    clearInterval(timer);
  }),
];

function usedUp(claim: string): Readonly<Record<string, string>> {
  const prefix = "anthropic-ratelimit-unified";
  return {
    [`${prefix}-status`]: "rejected",
    [`${prefix}-representative-claim`]: claim,
    [`${prefix}-reset`]: String(Math.ceil(Date.now() / 1000) + 60),
  };
}

export const anyFault: fc.Arbitrary<Fault> = fc.constantFrom(...faults);

/** What one deployment does, request by request; behind it, it answers. */
export const anySchedule: fc.Arbitrary<readonly Fault[]> = fc.array(anyFault, { maxLength: 6 });

export function actsOf(name: string, schedule: readonly Fault[]): readonly Act[] {
  return [...schedule.map(({ act }, index) => act(`<${name}${index}>`)), (line) => answers(`<${name}${line.index}> says this`)(line)];
}
