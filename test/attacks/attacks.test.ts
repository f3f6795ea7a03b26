import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Attack } from "./attack.ts";
import { findAttacks } from "./find-attacks.ts";
import { judge } from "./judge.ts";
import { openRange, type Range } from "./range.ts";

const attacks = (await findAttacks()).filter(({ attack }) => attack.platform === undefined || attack.platform === process.platform);

let range: Range;
beforeAll(async () => {
  range = await openRange();
});
afterAll(async () => {
  await range.close();
});

/** What is wrong with it. Where that may be the machine's doing, it is done once more. */
async function faultsOf(attack: Attack): Promise<readonly string[]> {
  const first = judge(attack, await range.shoot(attack));
  return first.mayBeChance ? judge(attack, await range.shoot(attack)).faults : first.faults;
}

describe.each(["given", "catalogue", "own"])("%s:", (set) => {
  test.each(attacks.filter(({ file }) => file.startsWith(`${set}/`)).map(({ attack }) => [attack.name, attack] as const))(
    "%s",
    { timeout: 60_000 },
    async (_, attack) => {
      expect(await faultsOf(attack)).toEqual([]);
    },
  );
});

test("after all of it the same proxy serves on: nothing is out of use but what was killed again and again", async () => {
  expect(range.innocents.takeFailures()).toEqual([]);
  expect(range.innocents.count).toBeGreaterThan(attacks.length);
  expect(range.sandbox.status().active).not.toBeNull();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});
