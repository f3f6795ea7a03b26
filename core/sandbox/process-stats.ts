/** Processor time and memory of another process, read where the system tells them without a program of its own. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";

/** Linux counts in hundredths of a second for every process, whatever the kernel's own tick is. */
const msPerTick = 10;
const pageBytes = 4096;

/** User and system time so far, ms, in steps of 10; undefined where there is no /proc, or no such process. */
export function cpuMs(pid: number): number | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Counted from behind the command name, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** Resident memory; undefined where there is no /proc, or no such process. */
export function rssBytes(pid: number): number | undefined {
  const statm = readOrUndefined(`/proc/${pid}/statm`);
  return statm === undefined ? undefined : Number(statm.split(" ")[1]) * pageBytes;
}

/** The same where a program must be asked for it: some milliseconds, and undefined when it does not tell. */
export function askRssBytes(pid: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile("ps", ["-o", "rss=", "-p", String(pid)], { timeout: 2000 }, (error, output) => {
      const kilobytes = Number.parseInt(output, 10);
      resolve(error === null && Number.isFinite(kilobytes) ? kilobytes * 1024 : undefined);
    });
  });
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
