/** Every way in which an upstream, a network or a client is known to fail, what the client sees of it, and the test that shows it. */

export interface Item {
  readonly title: string;
  /** As docs/reliability.md says it. */
  readonly sees: string;
  /** The test's name as it stands there; of one that is made from a table, the part that tells this case. */
  readonly tests: readonly (readonly [file: string, name: string])[];
}

const here = "test/chaos/catalogue";
const streams = `${here}/streams.test.ts`;
const limits = `${here}/limits.test.ts`;
const connections = `${here}/connections.test.ts`;
const bytes = `${here}/bytes.test.ts`;
const endings = `${here}/endings.test.ts`;
const clients = `${here}/clients.test.ts`;
const tokens = "test/core/credentials/token-source-use.test.ts";
const gone = "test/core/stream/client-gone.test.ts";

export const catalogue: Readonly<Record<string, Item>> = {
  F1: {
    title: "A connection that was used before closes when the next request comes",
    sees: "Nothing: the request is sent once more, on a new connection.",
    tests: [[connections, "F1: a reset of a connection that was used before: the request is sent once more, on a new one"]],
  },
  F2: {
    title: "A model that thinks for minutes",
    sees: "Pings, for as long as the upstream says anything. After `silence_timeout` of nothing but pings the error of its protocol.",
    tests: [[bytes, "F2: nothing but pings: not idle, but silent, and after a while the protocol's error"]],
  },
  F3: {
    title: "429 with a time to wait",
    sees: "The answer of another deployment; without one the 429, every header of it.",
    tests: [[limits, "F3: a limit, and nobody else to ask: every byte and every header of it"]],
  },
  F4: {
    title: "429 because a plan is used up",
    sees: "The answer of another deployment. The model, or the key where the plan as a whole is used up, is left alone until it opens.",
    tests: [
      [limits, "F4: a window of one model that is used up: that model is left alone until it opens, the key is not"],
      [limits, "F4: a window of the whole plan that is used up: the key is left alone, whatever the model"],
    ],
  },
  F5: {
    title: "An answer that was paid for beyond a plan",
    sees: "The answer, with its headers. The next request goes elsewhere.",
    tests: [[limits, "F5: an answer that was paid for beyond the plan: given whole, and the next request goes elsewhere"]],
  },
  F6: {
    title: "529, overloaded",
    sees: "The answer of another deployment, else of the second or third attempt, else of a fallback; else the error, and `x-should-retry: false`.",
    tests: [
      [limits, "F6: overloaded for good: two retries, then the fallback"],
      [endings, "F6: overloaded, and nobody else to ask: its protocol's error and status"],
    ],
  },
  F7: {
    title: "401 for a token of a token source",
    sees: "The answer to a fresh token, fetched once for all who wait; where that is refused as well, the upstream's refusal.",
    tests: [
      [tokens, "is fetched anew once for twenty requests at once, each of which succeeds"],
      [tokens, "is not refused a third time: the second refusal is the answer, unchanged"],
    ],
  },
  F8: {
    title: "A connection that stands still",
    sees: "Before there is content: the answer of another attempt. After: the error of its protocol, `idle_timeout` later.",
    tests: [
      [streams, "F8: a stall before there is content: the next deployment answers"],
      [streams, "F8: a stall behind the first content: the protocol's error, and the host is let go"],
    ],
  },
  F9: {
    title: "200 with something else than an answer: a page, an error, garbage",
    sees: "The answer of another attempt.",
    tests: [
      [streams, "F9: an error in JSON, with 200, where a stream was asked for: the next deployment answers"],
      [streams, "F9: bytes that are no HTTP: the next deployment answers"],
      [streams, "F9: a stream that holds no events: the next deployment answers"],
    ],
  },
  F10: {
    title: "An answer that is shorter or longer than it says",
    sees: "Before there is content: the answer of another attempt. After: the error of its protocol.",
    tests: [
      [connections, "F10: an answer that is shorter than it says: the next deployment answers"],
      [connections, "F10: an answer that is longer than it says: the next deployment answers"],
      [connections, "F10: chunks that end within one: the protocol's error"],
    ],
  },
  F11: {
    title: "HTTP/2: a stream that the upstream refuses",
    sees: "Nothing: the request is sent once more. Refused twice it is a failed attempt.",
    tests: [
      ["test/core/upstream/http2.test.ts", "F11: a stream that is refused was not looked at, and is sent again on another connection"],
      ["test/core/upstream/http2.test.ts", "F11: a stream that is refused twice is a failure"],
    ],
  },
  F12: {
    title: "A request that is too large",
    sees: "413 `request_too_large`, of the proxy or as the upstream said it; it is never retried.",
    tests: [
      ["test/core/stages/ingress.test.ts", "too large by its declared length is a 413"],
      ["test/core/stream/upstream-gone.test.ts", "that comes before the request was read is passed on, when the upstream then %s"],
    ],
  },
  F13: {
    title: "Headers of a request beyond 64 KB",
    sees: "431; up to there they pass.",
    tests: [["test/core/listen.test.ts", "headers up to 64 KiB pass, beyond it they are too large"]],
  },
  F14: {
    title: "Name servers that come and go, IPv6 that swallows everything",
    sees: "Nothing, as long as one address works, or was found within five minutes.",
    tests: [
      ["test/core/upstream/names.test.ts", "is reached over IPv4 when IPv6 swallows everything"],
      ["test/core/upstream/names.test.ts", "found within five minutes are good enough when no name server answers, and not longer"],
    ],
  },
  F15: {
    title: "A stream in another spelling: CRLF, CR, comments, a byte order mark, an end without a blank line",
    sees: "The same answer; in its own dialect every byte of it.",
    tests: [
      [bytes, "F15: a stream written with %s: read as it is meant, held or not"],
      [bytes, "F15: a stream of the client's own dialect written with %s: every byte of it"],
    ],
  },
  F16: {
    title: "More than one attempt for one request",
    sees: "One answer. `x-ccproxy-attempts` and the access record count them all, the trace names each.",
    tests: [[clients, "F16: what failed and what answered: both in the books, one in the answer"]],
  },
  F17: {
    title: "Signed thinking, and another model that answers",
    sees: "The answer: other vendors are not sent what they cannot read, and who refuses a signature is asked once more without.",
    tests: [
      [clients, "F17: to the model that sealed them as they are; a fallback of another vendor sees none of it"],
      [clients, "F17: refused as invalid: asked once more without them"],
    ],
  },
  F18: {
    title: "More than four cache marks",
    sees: "What it marked itself, and nothing beside it.",
    tests: [["test/core/translation/cache-marks.test.ts", "is left alone where the client marked something itself"]],
  },
  F19: {
    title: "The clock jumps",
    sees: "Nothing: waits and cooldowns do not go by it.",
    tests: [[limits, "F19: a clock that jumps by %d h: who is out of use stays so for as long as before"]],
  },
  F20: {
    title: "`Expect`, `HEAD`, `OPTIONS`, `Upgrade`",
    sees: "`100 Continue`, headers without a body, a refusal without permissions, no upgrade.",
    tests: [
      ["test/core/stages/gate-framing.test.ts", "Expect: 100-continue is answered, another expectation is not met"],
      ["test/core/stages/gate-framing.test.ts", "HEAD passes and has no body"],
      ["test/core/stages/gate-framing.test.ts", "a wish to upgrade is not granted"],
      ["test/core/stages/gate.test.ts", "every preflight is refused without permission of any kind, Private-Network too"],
    ],
  },
  N1: {
    title: "A reset before the headers",
    sees: "The answer of another attempt.",
    tests: [[streams, "N1: a reset before the headers: the next deployment answers"]],
  },
  N2: {
    title: "A reset of a used connection, and of the new one",
    sees: "The answer of another attempt; without one 502.",
    tests: [[connections, "N2: a reset of a new connection, too, behind that of the used one: a failure"]],
  },
  N3: {
    title: "A connection that ends behind the first content",
    sees: "What came, then the error of its protocol. Nobody else is asked.",
    tests: [[streams, "N3: a connection that ends behind the first content (%s): the protocol's error"]],
  },
  N4: {
    title: "A proper end without the last event",
    sees: "Before there is content: the answer of another attempt. After: the error of its protocol.",
    tests: [
      [streams, "N4: a proper end without the last event: the protocol's error"],
      [streams, "N4: an end before there was any content (%s): the next deployment answers"],
      [endings, "R3: a stream that breaks off (%s): its protocol's error, and no proper end"],
    ],
  },
  N5: {
    title: "Silence behind the headers",
    sees: "Nothing for `hold_seconds`, as another attempt is possible; then pings every 10 s; then the error of its protocol.",
    tests: [[streams, "N5: silence behind the headers: held for a while, then pinged, then the protocol's error"]],
  },
  N6: {
    title: "A stall within an event",
    sees: "No ping in the middle of it; then the error of its protocol.",
    tests: [[bytes, "N6: a stall within an event: no ping in the middle of it, and the protocol's error"]],
  },
  N7: {
    title: "A byte at a time",
    sees: "The answer, as it comes.",
    tests: [[streams, "N7: a byte at a time: as it was, and nobody loses patience"]],
  },
  N8: {
    title: "Overloaded twice, then not",
    sees: "The third attempt's answer.",
    tests: [[limits, "N8: overloaded twice, then not: three attempts, and the client sees the third alone"]],
  },
  N9: {
    title: "429 with 30 s to wait, and another deployment",
    sees: "The other one's answer, at once. The first is left alone for 30 s.",
    tests: [[limits, "N9: a limit with a time to wait: another deployment answers at once, and the first is left alone so long"]],
  },
  N10: {
    title: "429, and nobody else",
    sees: "The 429, at once.",
    tests: [[limits, "N10: a limit, and nobody else to ask: as the host said it, at once"]],
  },
  N11: {
    title: "`retry-after` that is garbage, negative, over, or for ever",
    sees: "The answer of another deployment. What makes no sense does not count, and no time is longer than seven days.",
    tests: [[limits, "N11: a time to wait that is %s: within reason"]],
  },
  N12: {
    title: "200 with a page",
    sees: "The answer of another attempt; without one a 502 that shows how the page begins, less what is secret.",
    tests: [
      [streams, "N12: a page in place of a stream: the next deployment answers"],
      [streams, "N12: a page where there is nobody else: a 502 that shows how it begins"],
    ],
  },
  N13: {
    title: "An error as the first event of a stream",
    sees: "The answer of another attempt.",
    tests: [
      [streams, "N13: an error as the first event: the next deployment answers"],
      [endings, "R1: the same before there was any content: the next deployment answers, and of the first nothing is seen"],
    ],
  },
  N14: {
    title: "An error behind the content",
    sees: "What came, then that error, once. It counts against the deployment.",
    tests: [
      [streams, "N14: an error behind the content: told as it came, and it counts against the deployment"],
      [endings, "R4: an error of the host within a stream: told once, and counted"],
    ],
  },
  N15: {
    title: "401 for a token, once",
    sees: "The answer to a fresh one.",
    tests: [[tokens, "leaves two attempts in the record of the request"]],
  },
  N16: {
    title: "401 for a token, and no fresh one to be had",
    sees: "The 401.",
    tests: [[tokens, "is the answer when a fresh one cannot be had"]],
  },
  N17: {
    title: "A host whose name is unknown, or that no name server answers for",
    sees: "The answer of another attempt; without one 502, or 504 after `connect_timeout`.",
    tests: [
      [connections, "N17: a host whose name is unknown: the next deployment answers"],
      ["test/core/upstream/names.test.ts", "that nobody answers for is given up in time"],
    ],
  },
  N18: {
    title: "A certificate that has expired, or is for another name",
    sees: "The answer of another attempt; without one a 502 that says what to do. No key is sent.",
    tests: [
      [connections, "N18: %s: nothing is sent, the next deployment answers"],
      ["test/core/upstream/authorities.test.ts", "%s is a 502 that says what to do, and is sent nothing"],
    ],
  },
  N19: {
    title: "HTTP/2: a stream or a connection that the upstream ends",
    sees: "Before there is content: the answer of another attempt. After: the error of its protocol.",
    tests: [
      ["test/core/upstream/http2.test.ts", "N19: a stream that ends with another code before its answer is a failure"],
      ["test/core/upstream/http2.test.ts", "N19: an answer that is broken off by %s fails after what came, and is not asked for again"],
    ],
  },
  N20: {
    title: "A compressed stream, although nobody asked",
    sees: "The stream, event by event, plain.",
    tests: [["test/core/stream/live.test.ts", "by %s streams event by event, plain"]],
  },
  N21: {
    title: "A few bytes that unpack to very many",
    sees: "Given up from 32 MB at a hundred to one: the answer of another attempt, or the error of its protocol.",
    tests: [
      [connections, "N21: a stream of 40 MB of nothing in few bytes: given up"],
      [connections, "N21: a whole answer of 40 MB of nothing in few bytes: given up, and never taken for whole"],
      [connections, "N21: an error of 40 MB of nothing in few bytes: the next deployment answers"],
    ],
  },
  N22: {
    title: "An answer with 100 KB of headers",
    sees: "The answer of another attempt; without one 502.",
    tests: [
      [connections, "N22: a header of 100 KB: the next deployment answers"],
      [connections, "N22: a header of 100 KB, and nobody else to ask: a 502 that says so"],
    ],
  },
  N23: {
    title: "A chunk with a size that is none",
    sees: "Before there is content: the answer of another attempt. After: the error of its protocol.",
    tests: [
      [connections, "N23: a first chunk of more than there is in a number: the next deployment answers"],
      [connections, "N23: a chunk of more than there is in a number: the protocol's error"],
    ],
  },
  N24: {
    title: "Hints before an answer",
    sees: "The answer.",
    tests: [[connections, "N24: hints before the answer: they stay here"]],
  },
  N25: {
    title: "Trailers behind an answer",
    sees: "The answer.",
    tests: [[connections, "N25: trailers: they stay here"]],
  },
  N26: {
    title: "A client that leaves",
    sees: "Its request is broken off, wherever it is: no further attempt, no slot that stays taken.",
    tests: [
      [clients, "N26: a client that leaves while its request waits for another attempt: there is none"],
      [clients, "N26: a client that leaves while the head of its stream is held: the host is let go, and nobody else is asked"],
      [clients, "N26: a client that leaves while its request waits for a slot: it is never sent"],
      [gone, "before the headers (%s) aborts the upstream"],
      [gone, "in the middle of a silent stream (%s) aborts the upstream"],
      [gone, "at the last byte is either served or gone, never anything else"],
    ],
  },
  N27: {
    title: "A client that closes its half of the connection behind its request",
    sees: "It counts as gone: nobody can tell it from one that left.",
    tests: [[gone, "and closes its half after the request counts as gone: nobody can tell it from one that left"]],
  },
  N28: {
    title: "A client that never reads",
    sees: "It is cut off after 120 s; its upstream is held up, others are not.",
    tests: [
      ["test/core/stream/pace.test.ts", "is cut off once it took nothing for two minutes"],
      ["test/core/stream/live.test.ts", "stops the upstream, hurts no other stream, and gets everything in the end"],
    ],
  },
  N29: {
    title: "A client that sends two requests at once on one connection",
    sees: "Both answers, in the order of its requests.",
    tests: [["test/core/stages/ingress.test.ts", "answers pipelined requests in their order, whichever upstream is first"]],
  },
};
