/** Project files that the user has trusted, kept by the hash of their content: a changed file is another file. */

import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writePrivateFile } from "../private-file.ts";
import { errorCode, readTextFile } from "./text-file.ts";

export interface TrustedProject {
  /** SHA-256 of the content, 64 hex digits. */
  readonly hash: string;
  /** Absolute path of our copy. */
  readonly path: string;
}

const endings = ["yaml", "json"] as const;
const hashForm = /^[0-9a-f]{64}$/;

/** The name under which a content is trusted. */
export function projectHash(content: string): string {
  return createHash("sha256").update(content, "utf8").digest("hex");
}

/** Keeps a copy of the content, which is what the server reads: the file in the project is never read by it. */
export async function trustProject(configDirectory: string, content: string): Promise<TrustedProject> {
  const hash = projectHash(content);
  const folder = trustFolder(configDirectory);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const path = join(folder, `${hash}.${isJson(content) ? "json" : "yaml"}`);
  await writePrivateFile(path, content);
  return { hash, path };
}

export async function isTrusted(configDirectory: string, content: string): Promise<boolean> {
  return (await readTrusted(configDirectory, projectHash(content))) === content;
}

/** The content trusted under a hash; undefined when there is none, or when the copy is not what was trusted. */
export async function readTrusted(configDirectory: string, hash: string): Promise<string | undefined> {
  // The hash comes from a request header: nothing but a hash may become a part of a path.
  if (!hashForm.test(hash)) return undefined;
  for (const ending of endings) {
    const file = await readTextFile(join(trustFolder(configDirectory), `${hash}.${ending}`));
    if (file.type === "text" && projectHash(file.text) === hash) return file.text;
  }
  return undefined;
}

/** Whether there was anything to take back. */
export async function untrust(configDirectory: string, hash: string): Promise<boolean> {
  if (!hashForm.test(hash)) return false;
  let removed = false;
  for (const ending of endings) {
    try {
      await rm(join(trustFolder(configDirectory), `${hash}.${ending}`));
      removed = true;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
  return removed;
}

/** All that is trusted, the latest first. */
export async function listTrusted(configDirectory: string): Promise<readonly (TrustedProject & { readonly trustedAt: Date })[]> {
  const folder = trustFolder(configDirectory);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  const projects = [];
  for (const name of names) {
    const [hash = "", ending] = name.split(".");
    if (!hashForm.test(hash) || !endings.some((known) => known === ending)) continue;
    const path = join(folder, name);
    projects.push({ hash, path, trustedAt: (await stat(path)).mtime });
  }
  return projects.sort((a, b) => b.trustedAt.getTime() - a.trustedAt.getTime() || a.hash.localeCompare(b.hash));
}

function trustFolder(configDirectory: string): string {
  return join(configDirectory, "trusted");
}

function isJson(content: string): boolean {
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}
