/** Claude Code itself, from npm: installed once beside the checkout, never a dependency of ours, because its licence is not ours to pass on. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

import { underLock } from "./lock.ts";

/** The release whose behaviour is written into these tests; raise it together with them. */
const claudeCodeVersion = "2.1.330";

const packageName = "@anthropic-ai/claude-code";
const root = path.resolve(import.meta.dirname, "../..");
const cacheFolder = path.join(root, ".cache", "ccproxy-e2e");
const folder = path.join(cacheFolder, `claude-code-${claudeCodeVersion}`);

/**
 * Installs Claude Code where that has not been done yet. Several processes may ask at once; one installs.
 * @returns the folder that holds the program `claude`, for a PATH
 * @throws Error with npm's own words when the registry cannot be reached: a test that needs the real client fails without it
 */
export async function installClaudeCode(): Promise<string> {
  return (await findProgramFolder()) ?? (await underLock(folder, async () => (await findProgramFolder()) ?? (await install())));
}

/** The package for this platform, which holds the program; npm picks it among the optional dependencies. */
async function findProgramFolder(): Promise<string | undefined> {
  const scope = path.join(folder, "node_modules", "@anthropic-ai");
  const names = await readdir(scope).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith("claude-code-"))) {
    const found = path.join(scope, name);
    const works = await access(path.join(found, "claude"), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (works) return found;
  }
  return undefined;
}

async function install(): Promise<string> {
  const fresh = `${folder}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    // No script of the package is run: all it would do is put the program in another place.
    await npm([
      "install",
      "--prefix",
      fresh,
      "--ignore-scripts",
      "--no-save",
      "--no-audit",
      "--no-fund",
      `${packageName}@${claudeCodeVersion}`,
    ]);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  const found = await findProgramFolder();
  if (found === undefined) {
    throw new Error(`${packageName} ${claudeCodeVersion} has no program for ${process.platform}-${process.arch}; see ${folder}`);
  }
  return found;
}

async function npm(args: readonly string[]): Promise<void> {
  // In the folder above, so that npm does not read the settings of this checkout.
  const child = spawn("npm", args, { cwd: cacheFolder, stdio: ["ignore", "ignore", "pipe"], env: npmEnvironment() });
  const output: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const [code]: unknown[] = await once(child, "close");
  if (code === 0) return;
  throw new Error(
    `The end-to-end tests need Claude Code ${claudeCodeVersion}, and npm could not install it (exit code ${String(code)}). ` +
      `Is the npm registry within reach? npm said:\n${output.join("").slice(-2000)}`,
  );
}

/** Without what the npm that runs these tests told its own child: it speaks of this checkout. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("npm_package_") && !name.startsWith("npm_lifecycle_"));
  return { HOME: homedir(), ...Object.fromEntries(own) };
}
