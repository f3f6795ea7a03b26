import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../../core/sandbox/frames.ts";
import { moduleOf, startHost, testContext, type TestHost } from "../../helpers/hook-host.ts";

const hosts: TestHost[] = [];
afterEach(() => {
  for (const { child } of hosts.splice(0)) child.kill("SIGKILL");
});
const start = async () => {
  const host = await startHost({ stderr: "ignore" });
  hosts.push(host);
  return host;
};

const body = { model: "claude-x" };
const preCall = (statements: string) =>
  ({ kind: "hook", code: moduleOf(`defineHook({ preCall(request, context) { ${statements} } })`) }) as const;
/** Runs for many seconds in code of the engine that looks for no interrupt. */
const stuck = `new Array(2 ** 27).fill(1.5).join("-".repeat(100));`;
const call = (id: number, units: readonly number[]) =>
  ({
    type: "call",
    id,
    version: 1,
    phase: "preCall",
    units,
    context: testContext,
    stores: {},
    sliceMs: 100,
    shape: { keys: [], lengths: {} },
    parts: [],
  }) as const;

describe("the hook host", () => {
  it("ends when nobody speaks with it any more", async () => {
    const host = await start();
    await host.load([preCall(``)]);
    await host.close();
    expect(await host.exited).toEqual({ code: 0, signal: null });
  });

  it("ends when it is spoken to in another way", async () => {
    const host = await start();
    (host.child.stdio[3] as NodeJS.WritableStream).write(Buffer.alloc(64, 0xff));
    expect((await host.exited).code).not.toBe(0);
  });

  it("puts messages together that come byte by byte", async () => {
    const host = await start();
    await host.load([preCall(`return respond("ä".repeat(3));`)]);
    const socket = host.child.stdio[3] as NodeJS.WritableStream;
    const answered = host.ask(call(77, [0]));
    for (const byte of Buffer.concat([...encodeFrame(call(78, [0])), ...encodeFrame(call(79, [0]))])) socket.write(Uint8Array.of(byte));
    await answered;
    await expect
      .poll(() => host.received.filter(({ type }) => type === "done").map((message) => "id" in message && message.id))
      .toEqual([77, 78, 79]);
  });

  it("has written each answer before it begins the next message", async () => {
    const host = await start();
    await host.load([preCall(`return respond("first");`), preCall(stuck)]);
    const first = host.ask(call(1001, [0]));
    host.send(call(1002, [1]));
    expect(await first).toMatchObject({ type: "done", outcomes: [{ decision: { reply: "first" } }] });
  });

  it("has said which unit of a message it is at before it begins it", async () => {
    const host = await start();
    await host.load([preCall(``), preCall(stuck)]);
    host.send(call(1001, [0, 1]));
    await expect.poll(() => host.received.at(-1)).toEqual({ type: "progress", id: 1001, unit: 1 });
  });

  it("takes large parts, and gives large answers to a reader that is slow", async () => {
    const host = await start();
    await host.load([preCall(`request.system = request.system + "!";`)]);
    const system = "s€".repeat(400_000);
    const socket = host.child.stdio[3] as NodeJS.ReadStream;
    const answers = [1, 2, 3].map(() => host.outcome({ phase: "preCall", body: { system } }));
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resume();
    for (const { patch } of await Promise.all(answers)) expect(patch).toEqual({ o: { system: { v: JSON.stringify(`${system}!`) } } });
  });

  it("aborts when an isolate cannot be held to its memory", async () => {
    const host = await start();
    await host.load([{ code: moduleOf(`defineRule(() => { const map = new Map(); for (let i = 0; ; i++) map.set("k" + i, [i]); })`) }]);
    await expect(host.outcome({ body, sliceMs: 30_000 })).rejects.toThrow("the host ended");
    expect((await host.exited).signal).toBe("SIGABRT");
  });

  it("keeps no isolate of a version that was unloaded", async () => {
    const host = await start();
    const heap = preCall(`return respond("x");`);
    for (let version = 1; version <= 40; version++) {
      await host.load([heap, heap], { version });
      host.send({ type: "unload", version });
    }
    await host.load([heap], { version: 99 });
    const status = await readFile(`/proc/${host.child.pid}/status`, "utf8").catch(() => undefined);
    // 80 isolates left behind would be more than twice this.
    if (status !== undefined) expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(90_000);
  });
});
