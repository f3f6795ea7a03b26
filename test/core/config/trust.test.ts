import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isTrusted, listTrusted, projectHash, readTrusted, trustProject, untrust } from "../../../core/config/trust.ts";

const content = "rules:\n  - {name: think, rule: ccproxy.rules.ThinkingRule}\n";
let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-trust-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("a trusted content is found by its hash, and a changed one is not trusted", async () => {
  const { hash, path } = await trustProject(directory, content);
  expect(hash).toBe(projectHash(content));
  expect(path).toBe(join(directory, "trusted", `${hash}.yaml`));
  expect(await readTrusted(directory, hash)).toBe(content);
  expect(await isTrusted(directory, content)).toBe(true);
  expect(await isTrusted(directory, `${content} `)).toBe(false);
});

test("the copy and its folder are the user's alone, and nothing temporary stays", async () => {
  const { path } = await trustProject(directory, content);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, "trusted"))).mode & 0o777).toBe(0o700);
  expect(await readdir(join(directory, "trusted"))).toHaveLength(1);
});

test("JSON keeps its ending", async () => {
  const { hash, path } = await trustProject(directory, '{"rules": []}');
  expect(path.endsWith(`${hash}.json`)).toBe(true);
  expect(await readTrusted(directory, hash)).toBe('{"rules": []}');
});

test("a copy that was tampered with is not trusted", async () => {
  const { hash, path } = await trustProject(directory, content);
  await writeFile(path, (await readFile(path, "utf8")).replace("think", "other"));
  expect(await readTrusted(directory, hash)).toBeUndefined();
  expect(await isTrusted(directory, content)).toBe(false);
  await trustProject(directory, content);
  expect(await isTrusted(directory, content)).toBe(true);
});

test("only a hash is looked up: no path leads out of the folder", async () => {
  await writeFile(join(directory, "ccproxy.yaml"), content);
  for (const hash of [
    "../ccproxy",
    `../trusted/${projectHash(content)}`,
    "",
    projectHash(content).toUpperCase(),
    `${projectHash(content)}\n`,
  ]) {
    expect(await readTrusted(directory, hash)).toBeUndefined();
    expect(await untrust(directory, hash)).toBe(false);
  }
});

test("trust can be taken back and listed", async () => {
  expect(await listTrusted(directory)).toEqual([]);
  const first = await trustProject(directory, content);
  const second = await trustProject(directory, "{}");
  await writeFile(join(directory, "trusted", "notes.txt"), "of the user");
  const listed = await listTrusted(directory);
  expect(new Set(listed.map(({ hash }) => hash))).toEqual(new Set([first.hash, second.hash]));
  expect(listed[0]!.trustedAt).toBeInstanceOf(Date);
  expect(await untrust(directory, first.hash)).toBe(true);
  expect(await untrust(directory, first.hash)).toBe(false);
  expect(await isTrusted(directory, content)).toBe(false);
  expect((await listTrusted(directory)).map(({ hash }) => hash)).toEqual([second.hash]);
});
