import { gzipSync } from "node:zlib";

import { afterEach, describe, expect, it } from "vitest";

import { expired, selfSigned } from "../../helpers/self-signed.ts";
import { answers, chunk, gate, head, inOrder, lastChunk, plain, raw, resets, wholeStream } from "../acts.ts";
import { readStream } from "../clients.ts";
import { type Entry, type Scene, type SceneOptions, startScene, wires } from "../scene.ts";
import type { Act } from "../upstream.ts";

let scene: Scene;

afterEach(() => scene[Symbol.asyncDispose]());

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

const complete = { type: "complete" };
const tooWide = "x".repeat(100 * 1024);
const endless = gzipSync(`:${" ".repeat(40 * 1024 * 1024)}`);

describe.each(Object.values(wires))("over $name", (wire) => {
  const startWithTwo = (fails: Omit<Entry, "name">, more?: Omit<SceneOptions, "entries">): Promise<void> =>
    start(
      [
        { name: "a", wire, ...fails },
        { name: "b", wire, acts: [answers("from b")] },
      ],
      more,
    );

  async function expectTheOther(stream = true): Promise<void> {
    const answer = await scene.ask({ stream });
    expect([answer.status, answer.end]).toEqual([200, "clean"]);
    if (stream) expect(readStream(answer.text)).toMatchObject({ text: "from b", ending: complete, afterEnd: 0 });
    else expect(answer.json()).toMatchObject({ content: [{ type: "text", text: "from b" }] });
    expect(answer.headers).toMatchObject({ "x-ccproxy-deployment": "b", "x-litellm-attempted-retries": "1" });
    await scene.idle();
    expect(scene.places["b"]?.heard).toHaveLength(1);
    expect(await scene.records()).toMatchObject([{ outcome: "completed", status: 200, attempts: 2, deployment: "b" }]);
  }

  /** A stream that begins well; then these bytes come in the place of a chunk, or of more of it. */
  const beginsAnd = (bytes: string | Uint8Array, when?: Promise<unknown>): Act =>
    inOrder(
      (line) => {
        const whole = wholeStream(line, "from a, broken");
        line.write(head(200, { ...wire.streamHeaders, "transfer-encoding": "chunked" }));
        line.write(chunk(whole.subarray(0, whole.indexOf("\n\n", whole.indexOf("from")) + 2)));
      },
      when ?? Promise.resolve(),
      raw(bytes),
    );

  async function expectBroken(open: () => void, message: RegExp): Promise<void> {
    const answer = await scene.open();
    await answer.until("content_block_delta");
    open();
    expect([answer.status, await answer.ended]).toEqual([200, "clean"]);
    const error = { type: "error", of: "api_error", message: expect.stringMatching(message) };
    expect(readStream(answer.text)).toMatchObject({ text: expect.stringMatching(/^from/), ending: error, afterEnd: 0 });
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1, deployment: "a" }]);
    expect(scene.places["b"]?.heard).toHaveLength(0);
  }

  it("F1: a reset of a connection that was used before: the request is sent once more, on a new one", async () => {
    await start([{ name: "a", wire, acts: [answers("once"), resets, answers("twice")] }], { router: { num_retries: 0 } });
    expect(readStream((await scene.ask()).text).text).toBe("once");
    const answer = await scene.ask();
    expect([answer.status, readStream(answer.text)]).toMatchObject([200, { text: "twice", ending: complete }]);
    expect(scene.places["a"]?.heard.map(({ connection }) => connection)).toEqual([0, 0, 1]);
    // Both were made, and none counts as failed.
    expect(answer.headers).toMatchObject({ "x-ccproxy-attempts": "2", "x-litellm-attempted-retries": "0" });
    expect((await scene.health())["a"]?.minute).toMatchObject({ requests: 2, successes: 2, failures: 0 });
  });

  it("N2: a reset of a new connection, too, behind that of the used one: a failure", async () => {
    await start([{ name: "a", wire, acts: [answers("once"), resets, resets] }], { router: { num_retries: 0 } });
    await scene.ask();
    const answer = await scene.ask();
    expect([answer.status, answer.json()]).toMatchObject([502, { type: "error", error: { type: "api_error" } }]);
    expect(scene.places["a"]?.heard).toHaveLength(3);
  });

  const whole: Act = (line) => {
    const body = JSON.stringify(wire.whole({ parts: [{ type: "text", text: "from a" }] }, line.asked));
    return plain(200, body, { "content-length": String(Buffer.byteLength(body) + 9) })(line);
  };

  it("F10: an answer that is shorter than it says: the next deployment answers", async () => {
    await startWithTwo({ acts: [inOrder(whole, ({ finish }) => finish())] });
    await expectTheOther(false);
  });

  it("F10: an answer that is longer than it says: the next deployment answers", async () => {
    const cut: Act = (line) => plain(200, wire.whole({ parts: [] }, line.asked), { "content-length": "20" })(line);
    await startWithTwo({ acts: [cut] });
    await expectTheOther(false);
  });

  it("F10: chunks that end within one: the protocol's error", async () => {
    const seen = gate();
    await startWithTwo({ acts: [inOrder(beginsAnd("40\r\ndata: half", seen.opened), ({ finish }) => finish())] });
    await expectBroken(seen.open, /broke off in the middle of its answer/);
  });

  it("N23: a chunk of more than there is in a number: the protocol's error", async () => {
    const seen = gate();
    await startWithTwo({ acts: [beginsAnd(`${"f".repeat(40)}\r\nx`, seen.opened)] });
    await expectBroken(seen.open, /broke off in the middle of its answer/);
  });

  it("N23: a first chunk of more than there is in a number: the next deployment answers", async () => {
    await startWithTwo({ acts: [raw(`${head(200, { ...wire.streamHeaders, "transfer-encoding": "chunked" })}${"f".repeat(40)}\r\nx`)] });
    await expectTheOther();
  });

  it("N22: a header of 100 KB: the next deployment answers", async () => {
    await startWithTwo({ acts: [answers("from a", { "x-wide": tooWide })] });
    await expectTheOther();
  });

  it("N22: a header of 100 KB, and nobody else to ask: a 502 that says so", async () => {
    await start([{ name: "a", wire, acts: [answers("from a", { "x-wide": tooWide })] }], { router: { num_retries: 0 } });
    const answer = await scene.ask();
    expect([answer.status, answer.json()]).toMatchObject([
      502,
      { error: { message: expect.stringMatching(/sent more than 64 KB of headers$/) } },
    ]);
  });

  const bomb = inOrder(
    raw(head(200, { ...wire.streamHeaders, "content-encoding": "gzip", "transfer-encoding": "chunked" })),
    raw(Buffer.concat([chunk(endless), lastChunk])),
  );

  it("N21: a stream of 40 MB of nothing in few bytes: given up", async () => {
    await startWithTwo({ acts: [bomb] });
    // What is translated is held for as long as it says nothing; bytes are handed on when they are too many.
    if (wire.name !== "anthropic") return expectTheOther();
    const answer = await scene.ask();
    const error = { type: "error", of: "api_error", message: expect.stringMatching(/compressed answer was given up: .* made 3\d\.\d MB/) };
    expect([answer.end, readStream(answer.text.slice(-1000)).ending]).toMatchObject(["clean", error]);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1 }]);
  });

  it("N21: a whole answer of 40 MB of nothing in few bytes: given up, and never taken for whole", async () => {
    await startWithTwo({ acts: [plain(200, endless, { "content-encoding": "gzip" })] });
    if (wire.name !== "anthropic") return expectTheOther(false);
    const answer = await scene.ask({ stream: false });
    expect([answer.status, answer.end]).toEqual([200, "broken"]);
    expect(await scene.records()).toMatchObject([{ outcome: "upstream-failed", status: 200, attempts: 1 }]);
  });

  it("N21: an error of 40 MB of nothing in few bytes: the next deployment answers", async () => {
    await startWithTwo({ acts: [plain(500, endless, { "content-encoding": "gzip" })] });
    await expectTheOther(false);
  });

  it("N24: hints before the answer: they stay here", async () => {
    await start([{ name: "a", wire, acts: [inOrder(raw(head(103, { link: "</style.css>; rel=preload" })), answers("from a"))] }]);
    const answer = await scene.ask();
    expect([answer.status, answer.headers["link"], readStream(answer.text)]).toMatchObject([
      200,
      undefined,
      { text: "from a", ending: complete },
    ]);
  });

  it("N25: trailers: they stay here", async () => {
    const trailed: Act = (line) => {
      line.write(head(200, { ...wire.streamHeaders, "transfer-encoding": "chunked", trailer: "x-late" }));
      line.write(Buffer.concat([chunk(wholeStream(line, "from a")), Buffer.from("0\r\nx-late: 1\r\n\r\n")]));
    };
    await start([{ name: "a", wire, acts: [trailed] }]);
    const answer = await scene.open();
    expect([await answer.ended, readStream(answer.text)]).toMatchObject(["clean", { text: "from a", ending: complete }]);
    expect([answer.headers["trailer"], answer.response.trailers]).toEqual([undefined, {}]);
    // And the connection is as good as before.
    await scene.ask();
    expect(scene.hosts["a"]?.connections).toBe(1);
  });

  it("N17: a host whose name is unknown: the next deployment answers", async () => {
    await startWithTwo({ acts: [], params: { api_base: "http://nowhere.invalid/v1" } });
    await expectTheOther();
  });

  it.each(["an expired certificate", "a certificate for another name"])(
    "N18: %s: nothing is sent, the next deployment answers",
    async (what) => {
      const tls = what === "an expired certificate" ? expired("localhost") : selfSigned("elsewhere.test");
      await startWithTwo({ acts: [answers("from a")], tls }, { files: { "ca.pem": tls.cert }, litellm: { ssl_verify: "ca.pem" } });
      await expectTheOther();
      expect([scene.places["a"]?.heard, scene.hosts["a"]?.open]).toEqual([[], 0]);
    },
  );
});
