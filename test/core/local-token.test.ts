import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { readOrCreateLocalToken } from "../../core/local-token.ts";
import { createPrivateFile, makePrivateDirectory, writePrivateFile } from "../../core/private-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-private-"));
  return () => rm(directory, { recursive: true, force: true });
});

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("the local token", () => {
  test("is made once, of 32 random bytes, for its owner alone", async () => {
    const token = await readOrCreateLocalToken(directory);
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    expect(await readOrCreateLocalToken(directory)).toBe(token);
    expect(await modeOf(join(directory, "local-token"))).toBe(0o600);
  });

  test("is the same for all who ask for the first one at the same time", async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => readOrCreateLocalToken(directory)));
    expect(new Set(tokens).size).toBe(1);
    expect(await readdir(directory)).toEqual(["local-token"]);
  });

  test.each(["", "short\n", "x".repeat(44)])("is refused when the file holds %j, with what to do", async (text) => {
    await writeFile(join(directory, "local-token"), text);
    await expect(readOrCreateLocalToken(directory)).rejects.toThrow("remove the file");
  });

  test("is not read through a link", async () => {
    const elsewhere = join(directory, "elsewhere");
    await writeFile(elsewhere, "x".repeat(43));
    await symlink(elsewhere, join(directory, "local-token"));
    await expect(readOrCreateLocalToken(directory)).rejects.toThrow();
  });
});

describe("private files", () => {
  test("replace what was there, whole, with no leftovers and no wider mode", async () => {
    const path = join(directory, "file");
    await writeFile(path, "before", { mode: 0o644 });
    await writePrivateFile(path, "after");
    expect(await readFile(path, "utf8")).toBe("after");
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(directory)).toEqual(["file"]);
  });

  test("that must be new leave the one that is there alone", async () => {
    const path = join(directory, "file");
    await writeFile(path, "before");
    await expect(createPrivateFile(path, "after")).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(path, "utf8")).toBe("before");
    expect(await readdir(directory)).toEqual(["file"]);
  });

  test("a write that fails leaves neither a part nor a temporary file", async () => {
    await expect(writePrivateFile(join(directory, "missing", "file"), "text")).rejects.toMatchObject({ code: "ENOENT" });
    await makePrivateDirectory(join(directory, "folder"));
    await writeFile(join(directory, "folder", "full"), "");
    await expect(writePrivateFile(join(directory, "folder"), "text")).rejects.toThrow();
    expect(await readdir(directory)).toEqual(["folder"]);
  });
});
