/** The file in which a server says that it runs, where, and how to ask it. */

import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../core/config/text-file.ts";

export interface ServerState {
  /** Random per start: tells whose file it is. */
  readonly claim: string;
  readonly pid: number;
  /** Tells the process from a later one with the same id; null where the system does not say. */
  readonly startMark: string | null;
  readonly startedAt: string;
  readonly version: string;
  readonly mode: "foreground" | "detached";
  /** What the command line asked for; a restart asks for the same. */
  readonly requested: { readonly host?: string; readonly port?: number };
  /** Null while the server is starting. */
  readonly server: ListeningServer | null;
}

export interface ListeningServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly instance: string;
  readonly controlToken: string;
}

export function stateFilePath(directory: string): string {
  return join(directory, "state.json");
}

/** The state as written, `damaged` when it is not one, undefined when there is none. */
export async function readState(directory: string): Promise<ServerState | "damaged" | undefined> {
  const text = await readStateText(directory);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isServerState(value) ? value : "damaged";
  } catch {
    return "damaged";
  }
}

async function readStateText(directory: string): Promise<string | undefined> {
  try {
    const file = await open(stateFilePath(directory), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isServerState(value: unknown): value is ServerState {
  return (
    isRecord(value) &&
    hasStrings(value, ["claim", "startedAt", "version"]) &&
    isPid(value["pid"]) &&
    (value["startMark"] === null || typeof value["startMark"] === "string") &&
    (value["mode"] === "foreground" || value["mode"] === "detached") &&
    isRecord(value["requested"]) &&
    (value["server"] === null || isListeningServer(value["server"]))
  );
}

function isListeningServer(value: unknown): value is ListeningServer {
  return isRecord(value) && hasStrings(value, ["host", "url", "instance", "controlToken"]) && typeof value["port"] === "number";
}

/** Zero and negative numbers would signal whole groups of processes. */
function isPid(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function hasStrings(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
