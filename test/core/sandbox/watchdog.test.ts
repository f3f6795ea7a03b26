import { stat } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createWatchdog } from "../../../core/sandbox/watchdog.ts";

/** A watchdog over a host whose processor time is whatever the test says. */
function watch(readCpuMs: () => number | undefined): {
  readonly watchdog: ReturnType<typeof createWatchdog>;
  readonly guilty: Promise<number>;
} {
  const since = performance.now();
  let tell: (afterMs: number) => void = () => undefined;
  const guilty = new Promise<number>((resolve) => (tell = resolve));
  const watchdog = createWatchdog(1, () => tell(performance.now() - since), readCpuMs);
  onTestFinished(() => watchdog.stop());
  return { watchdog, guilty };
}

const busy = (): number => performance.now();

describe("the watchdog", () => {
  it("finds a host guilty that works on beyond limit and grace, and not before", async () => {
    const { watchdog, guilty } = watch(busy);
    watchdog.begin(20);
    expect(await guilty).toBeGreaterThanOrEqual(120);
  });

  it("gives a host that was not let run more time, but not for ever", async () => {
    const { watchdog, guilty } = watch(() => 0);
    watchdog.begin(1);
    expect(await guilty).toBeGreaterThanOrEqual(2000);
  });

  it("does without processor times where the system tells none", async () => {
    const { watchdog, guilty } = watch(() => undefined);
    watchdog.begin(1);
    expect(await guilty).toBeLessThan(2000);
  });

  it("leaves a host alone that has nothing to do", async () => {
    const { watchdog, guilty } = watch(busy);
    watchdog.begin(1);
    watchdog.rest();
    expect(await Promise.race([guilty, delay(300, "alone")])).toBe("alone");
  });

  it("counts anew for each thing that is begun", async () => {
    const { watchdog, guilty } = watch(busy);
    for (let count = 0; count < 6; count++) {
      watchdog.begin(20);
      await delay(50);
    }
    watchdog.begin(20);
    expect(await guilty).toBeGreaterThanOrEqual(6 * 50 + 120);
  });

  it("uses the shorter limit when that comes second", async () => {
    const { watchdog, guilty } = watch(busy);
    watchdog.begin(60_000);
    watchdog.begin(1);
    expect(await guilty).toBeLessThan(10_000);
  });

  it("reads what has come before it judges", async () => {
    const { watchdog, guilty } = watch(busy);
    watchdog.begin(1);
    await delay(20);
    // The loop of this process stands still, so that the timer is late; the news that all is well is read behind the timers.
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        stat(".", () => {
          watchdog.rest();
          resolve();
        });
        const heldUpUntil = performance.now() + 250;
        while (performance.now() < heldUpUntil);
      });
    });
    expect(await Promise.race([guilty, delay(300, "alone")])).toBe("alone");
  });
});
