import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FollowingWatcher } from "../../../core/config/following-watcher.ts";

let folder: string;
let told: number;
let watcher: FollowingWatcher;
let wake: () => void;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ccproxy-follow-"));
  told = 0;
  wake = () => undefined;
  watcher = new FollowingWatcher(() => {
    told += 1;
    wake();
  });
});
afterEach(async () => {
  watcher.close();
  await rm(folder, { recursive: true });
});

function untilTold(): Promise<void> {
  return new Promise((resolve) => (wake = resolve));
}

describe("files that are followed", () => {
  it("are told of once, although file and folder are both watched", async () => {
    const rules = path.join(folder, "rules");
    const file = path.join(rules, "a.ts");
    await mkdir(rules);
    await writeFile(file, "1");
    await watcher.follow([folder, rules], Date.now());
    await watcher.follow([file], Date.now());
    const telling = untilTold();
    await writeFile(file, "2");
    await telling;
    // Nothing can be awaited for what must not come.
    await delay(250);
    expect(told).toBe(1);
  });

  it("may have changed when they are younger than their reading, and not when older or gone", async () => {
    const file = path.join(folder, "a.ts");
    await writeFile(file, "1");
    expect(await watcher.follow([file], Date.now() + 60_000)).toBe(false);
    expect(await watcher.follow([path.join(folder, "gone.ts")], Date.now())).toBe(false);
    const other = path.join(folder, "b.ts");
    await writeFile(other, "1");
    expect(await watcher.follow([other], Date.now() - 1000)).toBe(true);
    expect(await watcher.follow([other], Date.now() - 1000)).toBe(false);
  });

  it("are left alone once closed", async () => {
    const file = path.join(folder, "a.ts");
    await watcher.follow([file], Date.now());
    watcher.close();
    await writeFile(file, "1");
    await delay(250);
    expect(told).toBe(0);
  });
});
