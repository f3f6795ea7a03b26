import { Agent } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Listener, listen } from "../../core/listen.ts";
import { type Shutdown, type ShutdownOptions, shutDown } from "../../core/shutdown.ts";
import { dial, openAnswer } from "../helpers/client.ts";

let listener: Listener;

afterEach(() => {
  vi.useRealTimers();
  listener.server.close();
  listener.connections.closeAll();
});

function stop(graceMs: number, options: Partial<ShutdownOptions> = {}): Shutdown {
  return shutDown({ ...listener, open: new Set(), graceMs, acceptMs: 0, untilIdle: true, ...options });
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

  it("serves new connections for a while, each with one answer, and refuses them then", async () => {
    listener = await listen((_, response) => void response.end("whole"), host);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { closed } = stop(never, { acceptMs: 1000, untilIdle: false });
    vi.advanceTimersByTime(999);
    const answer = await openAnswer(listener.url, "{}");
    expect([answer.headers.connection, await answer.ended]).toEqual(["close", "clean"]);
    vi.advanceTimersByTime(1);
    await expect(openAnswer(listener.url, "{}")).rejects.toThrow("ECONNREFUSED");
    await closed;
  });

  it("refuses new connections no later than its grace is over", async () => {
    listener = await listen((_, response) => void response.end("whole"), host);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { closed } = stop(10, { acceptMs: 1000, untilIdle: false });
    vi.advanceTimersByTime(10);
    await closed;
    await expect(openAnswer(listener.url, "{}")).rejects.toThrow("ECONNREFUSED");
  });

  it("that waits for nobody else is over with the last answer, though a connection is kept alive", async () => {
    const answers: (() => void)[] = [];
    listener = await listen((_, response) => void answers.push(() => response.end("whole")), host);
    const agent = new Agent({ keepAlive: true });
    const answer = openAnswer(listener.url, "{}", { agent });
    while (answers.length < 1) await new Promise((resolve) => void setImmediate(resolve));
    const { closed } = stop(never, { acceptMs: never });
    expect(listener.server.listening).toBe(true);
    answers[0]?.();
    expect((await answer).headers.connection).toBe("close");
    await closed;
    agent.destroy();
  });

  it("closes a connection behind the last of its pipelined requests, not before", async () => {
    const answers: (() => void)[] = [];
    listener = await listen((request, response) => void answers.push(() => response.end(request.url)), host);
    const connection = await dial(listener.url);
    const send = async (path: string): Promise<void> => {
      const known = answers.length;
      connection.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      while (answers.length === known) await new Promise((resolve) => void setImmediate(resolve));
    };
    await send("/one");
    const { closed } = stop(never, { acceptMs: never });
    await send("/two");
    for (const answer of answers) answer();
    await connection.closed;
    expect(connection.text).toMatch(/connection: keep-alive.*\/one.*connection: close.*\/two/is);
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
