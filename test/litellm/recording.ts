/** What LiteLLM did when it was last asked, kept so that ccproxy can be held against it where no Python is. */

import { readFileSync, writeFileSync } from "node:fs";

import type { Outcomes } from "./run-suite.ts";

export interface Recording {
  /** Version of LiteLLM. */
  readonly litellm: string;
  /** ISO date. */
  readonly recordedOn: string;
  /** By the name of the suite. */
  readonly suites: Readonly<Record<string, Outcomes>>;
}

const file = new URL("recorded.json", import.meta.url);

export function readRecording(): Recording {
  return JSON.parse(readFileSync(file, "utf8"));
}

export function writeRecording(recording: Recording): void {
  writeFileSync(file, `${JSON.stringify(recording, undefined, 2)}\n`);
}
