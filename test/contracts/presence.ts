/** What every `PresenceStore` has to do, wherever it remembers who lives. */

import { beforeEach, describe, expect, test } from "vitest";

import type { Instance, PresenceStore } from "../../sdk/presence.ts";

export interface PresenceUnderTest {
  /** Nobody was heard of. */
  readonly presence: PresenceStore;
  /** Another one over the same rows, as another process has it. */
  readonly other: PresenceStore;
  /** Lets the clock that all share go on. */
  readonly advance: (ms: number) => void | Promise<void>;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

function instance(id: string, more: Partial<Instance> = {}): Instance {
  return { id, host: "é.example", pid: 4_194_304, ...more };
}

export function describePresenceStore(name: string, create: () => Promise<PresenceUnderTest>): void {
  describe(`${name} as a presence store`, () => {
    let presence: PresenceStore;
    let other: PresenceStore;
    let advance: PresenceUnderTest["advance"];

    beforeEach(async () => {
      ({ presence, other, advance } = await create());
    });

    const heard = async (withinMs: number, from = presence): Promise<readonly string[]> =>
      (await from.heardOf(withinMs)).map(({ id }) => id).toSorted();

    test("has heard of nobody at first", async () => {
      expect(await presence.heardOf(dayMs)).toEqual([]);
      await presence.leave("nobody");
    });

    test("tells who it is, to all who share it", async () => {
      const one = instance("one");
      const two = instance("'; drop table instances; --", { host: "", pid: 1 });
      await presence.beat(one);
      await other.beat(two);
      for (const store of [presence, other]) {
        const known = await store.heardOf(minuteMs);
        expect(known).toHaveLength(2);
        expect(known).toEqual(expect.arrayContaining([one, two]));
      }
    });

    test("no longer tells those who were not heard of for so long", async () => {
      await presence.beat(instance("old"));
      await advance(2 * minuteMs);
      await presence.beat(instance("new"));
      await advance(minuteMs);
      expect(await heard(2 * minuteMs)).toEqual(["new"]);
      // It has not forgotten them: whoever asks for longer gets them.
      expect(await heard(4 * minuteMs, other)).toEqual(["new", "old"]);
      expect(await heard(minuteMs / 2)).toEqual([]);
    });

    test("hears again and again of the same one, and tells it once", async () => {
      for (let beats = 0; beats < 5; beats++) {
        await presence.beat(instance("one"));
        await presence.beat(instance("two"));
        await advance(minuteMs);
      }
      await presence.beat(instance("one"));
      expect(await heard(minuteMs / 2)).toEqual(["one"]);
      expect(await heard(dayMs / 2)).toEqual(["one", "two"]);
    });

    test("takes leave of one, and of no other", async () => {
      for (const id of ["one", "two", "three"]) await presence.beat(instance(id));
      await other.leave("two");
      await other.leave("two");
      expect(await heard(dayMs)).toEqual(["one", "three"]);
      await presence.beat(instance("two"));
      expect(await heard(dayMs)).toEqual(["one", "three", "two"]);
    });

    test("forgets those not heard of for a day", async () => {
      await presence.beat(instance("gone"));
      await advance(dayMs - minuteMs);
      await presence.beat(instance("here"));
      expect(await heard(10 * dayMs)).toEqual(["gone", "here"]);
      await advance(2 * minuteMs);
      expect(await heard(10 * dayMs)).toEqual(["here"]);
    });

    test("hears of many at once", async () => {
      const ids = Array.from({ length: 60 }, (_, index) => `i${index}`);
      await Promise.all(ids.map(async (id, index) => (index % 2 === 0 ? presence : other).beat(instance(id))));
      expect(await heard(minuteMs)).toEqual(ids.toSorted());
    });
  });
}
