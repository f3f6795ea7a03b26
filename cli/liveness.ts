/** Tells one process from a later one with the same id. */

import { readFile } from "node:fs/promises";

/** Whether the process is there and not a zombie. Where the system tells start times, one that reuses the id is not it. */
export async function isProcessAlive(pid: number, startMark: string | null): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    // Not there, or (EPERM) somebody else's and so not a server of ours.
    return false;
  }
  const stat = await readProcessStat(pid);
  if (stat === undefined) return startMark === null;
  return stat.state !== "Z" && (startMark === null || stat.startMark === startMark);
}

/** Distinguishes this process from any other with its id; null where the system does not tell. */
export async function processStartMark(pid: number = process.pid): Promise<string | null> {
  return (await readProcessStat(pid))?.startMark ?? null;
}

/** Fields 3 and 22 of Linux's /proc/<pid>/stat; the second one is a name in parentheses that may hold anything. */
async function readProcessStat(pid: number): Promise<{ readonly state: string; readonly startMark: string } | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    const startMark = fields[19];
    return state === undefined || startMark === undefined ? undefined : { state, startMark };
  } catch {
    return undefined;
  }
}
