import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createCountWorker, type WorkItem } from "../../../core/tokens/count-worker-client.ts";

const item = (text: string): WorkItem => ({ kind: "text", bytes: Buffer.from(JSON.stringify(text)) });
const failing = new URL("./failing-worker.ts", import.meta.url);

describe("the counting worker", () => {
  it("answers in the order of the items, and several calls at once", async () => {
    const worker = createCountWorker({ idleMs: 1000 });
    const [first, second] = await Promise.all([worker.count([item("one"), item("one two three")]), worker.count([item("")])]);
    expect(first.map((count) => count.plain)).toEqual([1, 3]);
    expect(second.map((count) => count.plain)).toEqual([0]);
    expect(worker.starts()).toBe(1);
    await worker.close();
  });

  it("leaves the bytes it was given alone", async () => {
    const worker = createCountWorker({ idleMs: 1000 });
    const bytes = Buffer.from('"kept"');
    await worker.count([{ kind: "text", bytes }]);
    expect(bytes.toString()).toBe('"kept"');
    await worker.close();
  });

  it.each(["exit", "throw"])("that dies by %s rejects all that wait, and the next call has a new one", async (how) => {
    const worker = createCountWorker({ idleMs: 1000, file: failing });
    await worker.count([item("ok")]);
    const waiting = await Promise.allSettled([worker.count([item(how)]), worker.count([item("after")])]);
    expect(waiting.map((one) => one.status)).toEqual(["rejected", "rejected"]);
    expect(worker.isRunning()).toBe(false);
    await expect(worker.count([item("again")])).resolves.toHaveLength(1);
    expect(worker.starts()).toBe(2);
    await worker.close();
  });

  it("does not keep the process alive without work", async () => {
    const script = `
      import { createCountWorker } from ${JSON.stringify(new URL("../../../core/tokens/count-worker-client.ts", import.meta.url).href)};
      const worker = createCountWorker({ idleMs: 3_600_000 });
      const counts = await worker.count([{ kind: "text", bytes: Buffer.from('"three short words"') }]);
      console.log(counts[0].plain);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 15_000 });
    expect(stdout.trim()).toBe("3");
  });
});
