import { afterEach, expect, it } from "vitest";

import { answers, chunk, gate, head, inOrder, lastChunk, streams, wholeStream } from "../acts.ts";
import { readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";
import type { Act } from "../upstream.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

/** The stream of the wire, written otherwise. */
const respelled =
  (respell: (text: string) => string): Act =>
  (line) => {
    const bytes = Buffer.from(respell(wholeStream(line, "from a").toString()));
    // In parts that heed no borders.
    const parts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => chunk(bytes.subarray(index * 7, index * 7 + 7)));
    line.write(head(200, { ...line.wire.streamHeaders, "transfer-encoding": "chunked" }));
    line.write(Buffer.concat([...parts, lastChunk]));
  };

const spellings: readonly (readonly [string, (text: string) => string])[] = [
  ["CRLF", (text) => text.replaceAll("\n", "\r\n")],
  ["CR", (text) => text.replaceAll("\n", "\r")],
  ["comments", (text) => `: hello\n\n${text.replaceAll("\n\n", "\n\n: still here\n\n")}`],
  ["a byte order mark", (text) => `\uFEFF${text}`],
  ["several lines of data", (text) => text.replaceAll(/data: \{(.*)\}\n/g, "data: {\ndata: $1\ndata:}\n")],
  ["fields nobody knows", (text) => text.replaceAll("data:", "id: 7\nretry: 1\nx: y\ndata:")],
  ["no blank line at the end", (text) => text.slice(0, -1)],
];

/** The end of a stream is looked for in the bytes, as they are written by every host that is known. */
const ownSpellings = spellings.filter(([name]) => name !== "several lines of data");

const cases = Object.values(wires).flatMap((wire) =>
  (wire.name === "anthropic" ? ownSpellings : spellings).map(([name, respell]) => [name, wire, respell] as const),
);

it.each(cases)("F15: a stream written with %s: read as it is meant, held or not", async (_, wire, respell) => {
  await start([
    { name: "a", wire, acts: [respelled(respell)] },
    { name: "b", wire, acts: [answers("from b")] },
  ]);
  const answer = await scene.ask();
  expect([answer.end, readStream(answer.text)]).toMatchObject(["clean", { text: "from a", ending: { type: "complete" }, afterEnd: 0 }]);
  expect(await scene.attempts(answer)).toEqual(["a"]);
  expect(await scene.records()).toMatchObject([{ outcome: "completed", attempts: 1 }]);
});

it.each(ownSpellings)("F15: a stream of the client's own dialect written with %s: every byte of it", async (_, respell) => {
  let sent = Buffer.alloc(0);
  const keep = (text: string): string => {
    const spelt = respell(text);
    sent = Buffer.from(spelt);
    return spelt;
  };
  await start([
    { name: "a", acts: [respelled(keep)] },
    { name: "b", acts: [answers("from b")] },
  ]);
  expect((await scene.ask()).bytes.equals(sent)).toBe(true);
});

it("N6: a stall within an event: no ping in the middle of it, and the protocol's error", async () => {
  const stalled = streams("from a, broken", { at: { content: 2, more: 70 }, how: "stall" });
  await start([{ name: "a", acts: [stalled], params: { idle_timeout: 0.3 } }], { timing: { pingAfterMs: 10 } });
  const answer = await scene.ask();
  const half = '{"type":"content_block_delta","index"\n';
  const at = answer.text.indexOf(half);
  expect(at).toBeGreaterThan(0);
  // What was begun is made one that nobody reads, and only at the end.
  expect(answer.text.slice(at + half.length)).toMatch(
    /^event: ping\ndata: \{"type": ?"ping"\}\n\nevent: error\ndata: .*sent nothing for 0\.3 s.*\n\n$/,
  );
  expect(readStream(answer.text)).toMatchObject({ text: "from a, ", ending: { type: "error", of: "api_error" }, afterEnd: 0 });
  await scene.places["a"]?.heard[0]?.closed;
});

it("F2: nothing but pings: not idle, but silent, and after a while the protocol's error", async () => {
  const over = gate();
  const pings: Act = async (line) => {
    const whole = wholeStream(line, "from a, broken");
    line.write(head(200, { ...line.wire.streamHeaders, "transfer-encoding": "chunked" }));
    line.write(chunk(whole.subarray(0, whole.indexOf("\n\n", whole.indexOf("from")) + 2)));
    const timer = setInterval(() => line.write(chunk(Buffer.from('event: ping\ndata: {"type":"ping"}\n\n'))), 10);
    await line.closed;
    clearInterval(timer);
    over.open();
  };
  await start([{ name: "a", acts: [pings], params: { idle_timeout: 5, silence_timeout: 0.3 } }]);
  const answer = await scene.ask();
  const { text, ending, events } = readStream(answer.text);
  expect(events.filter((name) => name === "ping").length).toBeGreaterThan(3);
  expect([text, ending]).toMatchObject(["from", { type: "error", message: expect.stringContaining("sent nothing but pings for 0.3 s") }]);
  await over.opened;
});

it("F9: a stream for whoever asked for none: its bytes, as they came", async () => {
  const anyway: Act = inOrder(
    (line) => line.write(head(200, { ...line.wire.streamHeaders, "transfer-encoding": "chunked" })),
    (line) => line.write(Buffer.concat([chunk(wholeStream(line, "from a")), lastChunk])),
  );
  await start([{ name: "a", acts: [anyway] }]);
  const answer = await scene.ask({ stream: false });
  expect([answer.status, answer.headers["content-type"], readStream(answer.text).text]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
    "from a",
  ]);
});
