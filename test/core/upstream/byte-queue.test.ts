import { describe, expect, it } from "vitest";
import { ByteQueue, type Flow } from "../../../core/upstream/byte-queue.ts";

/** A source whose calls are recorded. */
class Source implements Flow {
  readonly calls: string[] = [];
  onResume: (() => void) | undefined;

  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
    this.onResume?.();
  }
  abort(reason: Error): void {
    this.calls.push(`abort: ${reason.message}`);
  }
}

const kib = 1024;
const bytes = (length: number, fill = "x"): Buffer => Buffer.alloc(length, fill);

async function rest(queue: ByteQueue): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of queue) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("a byte queue", () => {
  it("hands over chunks in order, the very same ones, whether they came before or after they were asked for", async () => {
    const queue = new ByteQueue(new Source());
    const [first, second, third] = [bytes(1, "1"), bytes(1, "2"), bytes(1, "3")];
    queue.push(first);
    queue.push(second);
    expect(await queue.next()).toEqual({ done: false, value: first });
    expect((await queue.next()).value).toBe(second);
    const waiting = queue.next();
    queue.push(third);
    expect((await waiting).value).toBe(third);
  });

  it("ends only after everything was read", async () => {
    const queue = new ByteQueue(new Source());
    queue.push(bytes(2, "a"));
    queue.end();
    queue.fail(new Error("too late"));
    expect(await rest(queue)).toBe("aa");
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("ends a reader that waits", async () => {
    const queue = new ByteQueue(new Source());
    const waiting = queue.next();
    queue.end();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("fails a reader that waits, and every later one", async () => {
    const queue = new ByteQueue(new Source());
    const waiting = queue.next();
    queue.fail(new Error("cut"));
    await expect(waiting).rejects.toThrow("cut");
    await expect(queue.next()).rejects.toThrow("cut");
  });

  it("delivers what came before a failure first", async () => {
    const queue = new ByteQueue(new Source());
    queue.push(bytes(1, "a"));
    queue.push(bytes(1, "b"));
    queue.fail(new Error("cut"));
    expect([(await queue.next()).value?.toString(), (await queue.next()).value?.toString()]).toEqual(["a", "b"]);
    await expect(queue.next()).rejects.toThrow("cut");
  });

  it("pauses its source when 32 KiB are unread, once, and resumes it when all of them are read", async () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    queue.push(bytes(32 * kib - 1));
    expect(source.calls).toEqual([]);
    queue.push(bytes(1));
    queue.push(bytes(1));
    expect(source.calls).toEqual(["pause"]);
    expect(queue.bufferedBytes).toBe(32 * kib + 1);
    await queue.next();
    await queue.next();
    await queue.next();
    expect(source.calls).toEqual(["pause"]);
    expect(queue.bufferedBytes).toBe(0);
    const waiting = queue.next();
    expect(source.calls).toEqual(["pause", "resume"]);
    queue.push(bytes(1, "z"));
    expect((await waiting).value?.toString()).toBe("z");
  });

  it("pauses its source as well when very many tiny chunks are unread", () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    for (let count = 0; count < 512; count++) queue.push(bytes(1));
    expect(source.calls).toEqual(["pause"]);
  });

  it("takes what a source delivers while it is being resumed", async () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    queue.push(bytes(40 * kib));
    await queue.next();
    source.onResume = () => {
      queue.push(bytes(1, "a"));
      queue.push(bytes(1, "b"));
      queue.end();
    };
    expect(await rest(queue)).toBe("ab");
  });

  it("does not touch its source while its reader keeps up", async () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    for (let turn = 0; turn < 10; turn++) {
      const waiting = queue.next();
      queue.push(bytes(64 * kib));
      await waiting;
    }
    expect(source.calls).toEqual([]);
  });

  it("aborts its source when the reader stops early, once, and keeps nothing", async () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    queue.push(bytes(10));
    await queue.return();
    await queue.return();
    expect(source.calls).toEqual(["abort: the reader stopped before the end"]);
    expect(queue.bufferedBytes).toBe(0);
    queue.push(bytes(10));
    queue.fail(new Error("of the abort"));
    expect(queue.bufferedBytes).toBe(0);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("leaves an ended source alone", async () => {
    const source = new Source();
    const queue = new ByteQueue(source);
    queue.end();
    await queue.return();
    expect(source.calls).toEqual([]);
  });
});
