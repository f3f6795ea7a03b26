import { array, assert, double, property } from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSchedule } from "../../../core/health/schedule.ts";

let time = 0;
const now = (): number => time;
beforeEach(() => {
  time = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => void vi.useRealTimers());

const ids = ["a", "b", "c"];

it("has each one's first turn within a tenth of the interval, and one turn an interval from then on, never all at once", () => {
  assert(
    property(array(double({ min: 0, max: 0.999, noNaN: true }), { minLength: 3, maxLength: 200 }), (randoms) => {
      time = 0;
      let drawn = 0;
      const schedule = createSchedule({ now, random: () => randoms[drawn++ % randoms.length] ?? 0 });
      const turns = new Map(ids.map((id) => [id, new Array<number>()]));
      for (; time <= 10_000; time += 10) for (const id of schedule.due(ids, 1000)) turns.get(id)?.push(time);
      for (const times of turns.values()) {
        expect(times[0]).toBeLessThanOrEqual(110);
        for (const [index, at] of times.slice(1).entries()) {
          const gap = at - (times[index] ?? 0);
          expect(gap).toBeGreaterThanOrEqual(900);
          expect(gap).toBeLessThanOrEqual(1110);
        }
      }
    }),
  );
});

it("wakes when the next one is due", () => {
  const randoms = [0.5, 0.9, 0.2];
  const schedule = createSchedule({ now, random: () => randoms.shift() ?? 0 });
  expect(schedule.due(ids, 1000)).toEqual([]);
  const woken = vi.fn();
  schedule.wake(woken);
  vi.advanceTimersByTime(19);
  expect(woken).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(woken).toHaveBeenCalledOnce();
  time = 20;
  expect(schedule.due(ids, 1000)).toEqual(["c"]);
});

it("plans anew what has another interval, and forgets what is gone", () => {
  const schedule = createSchedule({ now, random: () => 1 });
  schedule.due(ids, 1_000_000);
  time = 11;
  expect(schedule.due(["a"], 100)).toEqual([]);
  time = 21;
  expect(schedule.due(["a"], 100)).toEqual(["a"]);
  // Forgotten, so it begins like one that is new.
  time = 200_000;
  expect(schedule.due(["b"], 1_000_000)).toEqual([]);
});

it("does not wake anybody where nothing is planned, or when it is stopped", () => {
  const schedule = createSchedule({ now, random: () => 0 });
  schedule.due([], 1000);
  const woken = vi.fn();
  schedule.wake(woken);
  schedule.due(ids, 1000);
  schedule.wake(woken);
  schedule.stop();
  vi.advanceTimersByTime(100_000);
  expect(woken).not.toHaveBeenCalled();
});
