import { afterEach, describe, expect, it, vi } from "vitest";
import { type Listener, listen } from "../../core/listen.ts";
import { type Shutdown, shutDown } from "../../core/shutdown.ts";
import { dial, openAnswer } from "../helpers/client.ts";

let listener: Listener;

afterEach(() => {
  vi.useRealTimers();
  listener.server.close();
  listener.connections.closeAll();
});

function stop(graceMs: number): Shutdown {
  return shutDown({ ...listener, open: new Set(), graceMs });
}

const never = 600_000;
const host = { host: "127.0.0.1", port: 0, onError: () => undefined };

describe("a shutdown", () => {
  it("does not cut off an answer that is written but not yet read", async () => {
    const large = Buffer.alloc(32 * 1024 * 1024, "x");
    listener = await listen((_, response) => void response.end(large), host);
    const answer = await openAnswer(listener.url, "{}");
    answer.response.pause();
    const { closed } = stop(never);
    answer.response.resume();
    expect(await answer.ended).toBe("clean");
    expect(answer.bytes.length).toBe(large.length);
    await closed;
  });

  it("lets pipelined requests have their answers, in order", async () => {
    const answers: (() => void)[] = [];
    listener = await listen((request, response) => void answers.push(() => response.end(request.url)), host);
    const connection = await dial(listener.url);
    for (const path of ["/one", "/two"]) connection.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    while (answers.length < 2) await new Promise((resolve) => void setImmediate(resolve));
    const { closed } = stop(never);
    for (const answer of answers) answer();
    await connection.closed;
    expect(connection.text).toMatch(/\/one.*\/two/s);
    await closed;
  });

  it("closes half a request when the grace is over, and no sooner", async () => {
    listener = await listen((_, response) => void response.end("whole"), host);
    const [half, slow] = [await dial(listener.url), await dial(listener.url)];
    half.write("GET / HTT");
    slow.write("GET / HTT");
    // Answered, so the server has read of both.
    await (
      await openAnswer(listener.url, "{}")
    ).ended;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { closed } = stop(1000);
    vi.advanceTimersByTime(999);
    slow.write("P/1.1\r\nhost: x\r\n\r\n");
    await slow.until("whole");
    vi.advanceTimersByTime(1);
    await half.closed;
    await closed;
  });

  it("hurried when all is over does nothing", async () => {
    listener = await listen((_, response) => void response.end(), host);
    const shutdown = stop(never);
    await shutdown.closed;
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    shutdown.hurry();
    expect(timers()).toBe(before);
  });
});
