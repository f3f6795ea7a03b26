/** Decides from the state file what is running, and lets exactly one server own the file. */

import { randomBytes } from "node:crypto";
import { readFileSync, unlinkSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { StatusReport } from "../core/status.ts";
import { errorCode } from "../core/config/text-file.ts";
import { createPrivateFile, writePrivateFile } from "../core/private-file.ts";
import { askServer } from "./control.ts";
import { isProcessAlive, processStartMark } from "./liveness.ts";
import { readState, stateFilePath, type ListeningServer, type ServerState } from "./state-file.ts";

export type RunState =
  | { readonly type: "none" }
  | { readonly type: "running"; readonly state: ServerState; readonly server: ListeningServer; readonly report: StatusReport }
  | { readonly type: "starting"; readonly state: ServerState }
  /** The very process is there but does not answer: it hangs, or is on its way out. */
  | { readonly type: "unresponsive"; readonly state: ServerState }
  /** Left behind; `reason` is part of a sentence. */
  | { readonly type: "stale"; readonly claim: string | undefined; readonly reason: string };

/** Finds out what the state file of a configuration folder stands for. */
export async function inspectState(directory: string): Promise<RunState> {
  const state = await readState(directory);
  if (state === undefined) return { type: "none" };
  if (state === "damaged") return { type: "stale", claim: undefined, reason: "the state file is damaged" };
  if (!(await isProcessAlive(state.pid, state.startMark))) {
    return { type: "stale", claim: state.claim, reason: `process ${state.pid} is gone` };
  }
  if (state.server === null) return { type: "starting", state };
  const report = await askForStatus(state.server);
  if (report?.instance === state.server.instance) return { type: "running", state, server: state.server, report };
  // Without a start mark the process may be anybody's, and one that does not answer as ours is not signalled.
  if (report === undefined && state.startMark !== null) return { type: "unresponsive", state };
  return { type: "stale", claim: state.claim, reason: `process ${state.pid} is another program now` };
}

/** The server's own account; undefined when it does not answer as ccproxy. */
async function askForStatus(server: ListeningServer): Promise<StatusReport | undefined> {
  try {
    const answer = await askServer(server, "/ccproxy/status");
    if (answer.status !== 200) return undefined;
    const report: StatusReport = JSON.parse(answer.body);
    return report.name === "ccproxy" ? report : undefined;
  } catch {
    return undefined;
  }
}

/** The right of this process to the state file, from before it listens until it ends. */
export interface Claim {
  /** Tells everybody where the server listens. @throws Error when the file was taken away meanwhile */
  publish(server: ListeningServer): Promise<void>;
  /** Removes the file if it is still ours. Synchronous, so that it works while the process exits. */
  release(): void;
}

export type ClaimDetails = Pick<ServerState, "mode" | "requested" | "version">;

/**
 * Takes the state file for this process. Of several that try at once exactly one gets it.
 * @param onStale told what was removed
 * @returns the claim, or who has the file already
 */
export async function claimState(
  directory: string,
  details: ClaimDetails,
  onStale: (reason: string) => void,
): Promise<Claim | Exclude<RunState, { readonly type: "none" | "stale" }>> {
  const state: ServerState = {
    claim: randomBytes(12).toString("hex"),
    pid: process.pid,
    startMark: await processStartMark(),
    startedAt: new Date().toISOString(),
    ...details,
    server: null,
  };
  for (;;) {
    try {
      await createPrivateFile(stateFilePath(directory), encode(state));
      return createClaim(directory, state);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    const found = await inspectState(directory);
    if (found.type === "stale") {
      if (await removeStale(directory, found.claim)) onStale(found.reason);
      // Somebody else is at it and done in no time.
      else await setTimeout(20);
    } else if (found.type !== "none") return found;
  }
}

/** An owner of the takeover file that is older than this has died in the middle. */
const takeoverMs = 10_000;

/**
 * Removes a state file that was found stale, but never one that somebody put in its place since: whoever removes
 * the file of a claim must hold the takeover file of that claim, and look again while holding it.
 * @returns whether this call removed it
 */
export async function removeStale(directory: string, claim: string | undefined): Promise<boolean> {
  const path = stateFilePath(directory);
  const takeover = `${path}.takeover-${claim ?? "damaged"}`;
  try {
    await createPrivateFile(takeover, String(process.pid));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    await removeAbandoned(takeover);
    return false;
  }
  try {
    const found = await readState(directory);
    const foundClaim = found === "damaged" || found === undefined ? undefined : found.claim;
    if (found === undefined || foundClaim !== claim) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(takeover, { force: true });
  }
}

async function removeAbandoned(takeover: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(takeover);
    if (Date.now() - mtimeMs > takeoverMs) await rename(takeover, `${takeover}.old`).then(() => rm(`${takeover}.old`, { force: true }));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

function createClaim(directory: string, state: ServerState): Claim {
  const path = stateFilePath(directory);
  return {
    async publish(server) {
      const found = await readState(directory);
      if (found === undefined || found === "damaged" || found.claim !== state.claim) {
        throw new Error(`${path} was removed or replaced while the server was starting`);
      }
      await writePrivateFile(path, encode({ ...state, server }));
    },
    release() {
      try {
        const found: { readonly claim?: unknown } = JSON.parse(readFileSync(path, "utf8"));
        if (found.claim === state.claim) unlinkSync(path);
      } catch {
        // Gone or damaged: nothing of ours to remove.
      }
    },
  };
}

function encode(state: ServerState): string {
  return `${JSON.stringify(state, undefined, 2)}\n`;
}
