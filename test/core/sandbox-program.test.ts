import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { expect, onTestFinished, test } from "vitest";

import { isolateFolders } from "../../core/sandbox-program.ts";

const isolates = path.dirname(createRequire(import.meta.url).resolve("isolated-vm/package.json"));

test("a program finds its isolates although packages are links, and reads nothing else", async () => {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "ccproxy-links-")));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(path.join(directory, "package/node_modules"), { recursive: true });
  symlinkSync(isolates, path.join(directory, "package/node_modules/isolated-vm"));
  const entry = path.join(directory, "package/main.mjs");
  const secret = path.join(directory, "secret");
  writeFileSync(secret, "secret");
  writeFileSync(
    entry,
    `import isolates from "isolated-vm";
     import { readFileSync } from "node:fs";
     const reads = (path) => { try { return readFileSync(path, "utf8"); } catch (error) { return error.code; } };
     console.log(typeof isolates.Isolate, reads(${JSON.stringify(secret)}), reads("/etc/passwd"));`,
  );
  const readable = [entry, ...isolateFolders(entry)].map((place) => `--allow-fs-read=${place}`);
  const flags = ["--jitless", "--permission", "--allow-addons", "--allow-fs-read=/etc/alpine-release", "--no-warnings"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...readable, entry], { env: {} });
  expect(stdout.trim()).toBe("function ERR_ACCESS_DENIED ERR_ACCESS_DENIED");
});
