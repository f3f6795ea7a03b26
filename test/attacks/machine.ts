/** Tells what this process and its hosts did from what the machine did to them: time spent waiting for a processor is nobody's fault. */

import { readFileSync } from "node:fs";

/** What happened between two moments, ms. */
export interface Window {
  readonly elapsedMs: number;
  /** Time for which the hosts or this thread were ready to run and were not let. */
  readonly starvedMs: number;
  /** Longest time for which this thread was at work and let no timer fire. */
  readonly blockedMs: number;
}

export interface Machine {
  /** @returns ends the window */
  open(): () => Window;
  close(): void;
}

const intervalMs = 10;

/** @param hostPids the hosts at this moment */
export function watchMachine(hostPids: () => readonly number[]): Machine {
  let starvedMs = 0;
  let windows: { blockedMs: number }[] = [];
  let last = { at: performance.now(), thread: threadTimes() };
  const waited = new Map<number, number>();

  const look = (isTick: boolean): void => {
    const now = performance.now();
    const thread = threadTimes();
    const threadWaitMs = thread.waitMs - last.thread.waitMs;
    starvedMs += threadWaitMs;
    for (const pid of hostPids()) {
      const times = readTimes(`/proc/${pid}/schedstat`);
      if (times === undefined) continue;
      starvedMs += times.waitMs - (waited.get(pid) ?? times.waitMs);
      waited.set(pid, times.waitMs);
    }
    const lateMs = Math.min(now - last.at - (isTick ? intervalMs : 0) - threadWaitMs, thread.cpuMs - last.thread.cpuMs);
    for (const window of windows) window.blockedMs = Math.max(window.blockedMs, lateMs);
    last = { at: now, thread };
  };
  const timer = setInterval(() => look(true), intervalMs);

  return {
    open() {
      look(false);
      const window = { blockedMs: 0 };
      const begun = { at: performance.now(), starvedMs };
      windows.push(window);
      return () => {
        look(false);
        windows = windows.filter((other) => other !== window);
        return { elapsedMs: performance.now() - begun.at, starvedMs: starvedMs - begun.starvedMs, blockedMs: window.blockedMs };
      };
    },
    close: () => clearInterval(timer),
  };
}

interface Times {
  readonly cpuMs: number;
  readonly waitMs: number;
}

/** Where the system does not tell, the processor time of the process, and no waiting. */
function threadTimes(): Times {
  const { user, system } = process.cpuUsage();
  return readTimes("/proc/thread-self/schedstat") ?? { cpuMs: (user + system) / 1000, waitMs: 0 };
}

/** On the processor, and ready but waiting for it: nanoseconds in the file. */
function readTimes(file: string): Times | undefined {
  try {
    const [cpu = 0, wait = 0] = readFileSync(file, "latin1").split(" ").map(Number);
    return { cpuMs: cpu / 1e6, waitMs: wait / 1e6 };
  } catch {
    return undefined;
  }
}
