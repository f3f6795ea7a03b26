/** The project file of the folder a command runs in, and whether the user trusts it. */

import { homedir } from "node:os";
import type { Writable } from "node:stream";
import { findProjectFile, ProjectFileError, type ProjectFile } from "../core/config/discover.ts";
import { isTrusted, projectHash } from "../core/config/trust.ts";
import { shortPath } from "./display.ts";

/**
 * The content hash of the trusted project file that applies in `cwd`. A file that does not count is told of in one
 * line, because its author expects otherwise.
 */
export async function projectInForce(cwd: string, directory: string, stderr: Writable): Promise<string | undefined> {
  let found: ProjectFile | undefined;
  try {
    found = await findProjectFile(cwd, homedir());
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error;
    stderr.write(`ccproxy: ${error.message}\n`);
    return undefined;
  }
  if (found === undefined) return undefined;
  if (await isTrusted(directory, found.content)) return projectHash(found.content);
  stderr.write(`ccproxy: the rules in ${shortPath(found.file)} are not in force; "ccproxy trust" shows them and lets them take part\n`);
  return undefined;
}
