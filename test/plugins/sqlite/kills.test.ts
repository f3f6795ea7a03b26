import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { seeded } from "../../helpers/seeded.ts";
import { integrityOf, killChildren, linesOf, openAt, startChild, wholeExchanges } from "./processes.ts";
import { batch } from "./rows.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccproxy-sqlite-"));
  path = join(folder, "ccproxy.db");
});

afterEach(() => {
  killChildren();
  rmSync(folder, { recursive: true, force: true });
});

test("what was written before a kill is there, whole, whichever of several processes is killed when", { timeout: 60_000 }, async () => {
  const random = seeded(1);
  const said: string[] = [];
  for (let round = 0; round < 10; round++) {
    const writers = ["a", "b", "c"].map(async (name) => {
      const child = startChild("write", path, `${round}${name}`);
      const last = 1 + Math.floor(random() * 300);
      return linesOf(child, (_, count) => {
        if (count === last) child.kill("SIGKILL");
      });
    });
    said.push(...(await Promise.all(writers)).flat());
    const engine = openAt(path);
    const there = new Set(await wholeExchanges(engine));
    for (const line of said) {
      const [kind, id = ""] = line.split(" ");
      if (kind === "ledger") expect(there.has(id), line).toBe(true);
      if (kind === "user") expect(await engine.keys.get("user", id), line).toBeDefined();
    }
    for (const name of ["a", "b", "c"]) {
      const reserved = said.filter((line) => line.startsWith(`limit ${round}${name}-`)).length;
      const [counter] = await engine.limits.read([`${round}${name}`]);
      // One more may have been reserved that it did not come to say.
      expect([reserved * 7, (reserved + 1) * 7]).toContain(counter?.used);
    }
    expect(integrityOf(path)).toBe("ok");
    await engine.close();
  }
  expect(said.length).toBeGreaterThan(1000);
});

test("several processes that open a new file at once make its tables once", { timeout: 30_000 }, async () => {
  for (let round = 0; round < 3; round++) {
    const file = join(folder, `${round}.db`);
    const children = Array.from({ length: 4 }, (_, index) => startChild("open", file, `e${index}`));
    let ready = 0;
    const ended = children.map(async (child) =>
      linesOf(child, (line) => {
        if (line === "ready" && ++ready === children.length) for (const each of children) each.stdin.write("go\n");
      }),
    );
    for (const lines of await Promise.all(ended)) expect(lines).toEqual(["ready", "done"]);
    const engine = openAt(file);
    expect([...(await wholeExchanges(engine))].toSorted()).toEqual(["e0", "e1", "e2", "e3"]);
    await engine.close();
    expect(integrityOf(file)).toBe("ok");
  }
});

test.each(["first-step", "next-step"])("a kill within a migration (%s) leaves what was before", async (step) => {
  if (step === "next-step") {
    const engine = openAt(path);
    await engine.ledger.write(batch("before"));
    await engine.close();
  }
  const child = startChild(step, path);
  const ended = linesOf(child);
  // It is in the middle of it, and parts of it are on the disk.
  await vi.waitFor(() => expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size).toBeGreaterThan(1_000_000), { timeout: 15_000 });
  child.kill("SIGKILL");
  await ended;
  const engine = openAt(path);
  expect(await wholeExchanges(engine)).toEqual(step === "next-step" ? ["before"] : []);
  await engine.ledger.write(batch("after"));
  await engine.close();
  expect(integrityOf(path)).toBe("ok");
});
