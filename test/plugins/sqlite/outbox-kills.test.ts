import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { WaitingWrites } from "../../../sdk/outbox.ts";
import { writesOf } from "../../contracts/outbox.ts";
import { seeded } from "../../helpers/seeded.ts";
import { integrityOf, killChildren, linesOf, openAt, startChild } from "./processes.ts";

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

function idOf({ writes }: WaitingWrites): string {
  const [first] = writes;
  if (first?.type !== "exchange") throw new Error("it is not what was appended");
  const { id } = first.row;
  expect(writes).toEqual(writesOf(id));
  return id;
}

test("what was appended before a kill waits, whole and in order, whichever process is killed when", { timeout: 60_000 }, async () => {
  const random = seeded(2);
  const arrived: string[] = [];
  let said = 0;
  for (let round = 0; round < 4; round++) {
    const names = ["a", "b"].map((name) => `${round}${name}`);
    const lines = await Promise.all(
      names.map(async (name) => {
        const child = startChild("post", path, name);
        const last = 1 + Math.floor(random() * 300);
        return linesOf(child, (_, count) => {
          if (count === last) child.kill("SIGKILL");
        });
      }),
    );
    const engine = openAt(path);
    const waiting = await engine.outbox.peek(1e9);
    expect(waiting.map(({ id }) => id)).toEqual(waiting.map(({ id }) => id).toSorted((a, b) => a - b));
    const ids = waiting.map(idOf);
    for (const [index, name] of names.entries()) {
      const own = ids.filter((id) => id.startsWith(`${name}-`));
      const told = lines[index] ?? [];
      said += told.length;
      expect(own).toEqual(own.map((_, each) => `${name}-${each}`));
      // One more may be there that it did not come to say.
      expect([told.length, told.length + 1]).toContain(own.length);
    }
    // Half of it arrives; the rest waits for the next round.
    const half = waiting[Math.floor(waiting.length / 2)];
    if (half === undefined) throw new Error("nothing waits");
    await engine.outbox.removeUpTo(half.id);
    arrived.push(...waiting.filter(({ id }) => id <= half.id).map(idOf));
    await engine.close();
    expect(integrityOf(path)).toBe("ok");
  }
  const engine = openAt(path);
  arrived.push(...(await engine.outbox.peek(1e9)).map(idOf));
  await engine.close();
  expect(new Set(arrived).size).toBe(arrived.length);
  expect(said).toBeGreaterThan(300);
  expect(arrived.length).toBeGreaterThanOrEqual(said);
});
