import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { grantedValues, variableReader } from "../../../core/capabilities/env-grants.ts";
import { derivePseudonymKey, installSecretFileName, readOrCreateInstallSecret } from "../../../core/capabilities/pseudonym-key.ts";

async function folder(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "ccproxy-secret-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

describe("the secret of an installation", () => {
  test("is made once, for its owner alone, and stays", async () => {
    const directory = await folder();
    const secret = await readOrCreateInstallSecret(directory);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(await readOrCreateInstallSecret(directory)).toBe(secret);
    expect((await stat(path.join(directory, installSecretFileName))).mode & 0o777).toBe(0o600);
    expect(await readOrCreateInstallSecret(await folder())).not.toBe(secret);
  });

  test("is the same for all who ask for it at the same time", async () => {
    const directory = await folder();
    const secrets = await Promise.all(Array.from({ length: 10 }, () => readOrCreateInstallSecret(directory)));
    expect(new Set(secrets).size).toBe(1);
    expect((await readFile(path.join(directory, installSecretFileName), "utf8")).trim()).toBe(secrets[0]);
  });

  test("is never replaced when the file holds something else, and the message does not quote it", async () => {
    const directory = await folder();
    const file = path.join(directory, installSecretFileName);
    await writeFile(file, "not a secret");
    const error = await readOrCreateInstallSecret(directory).catch((error: unknown) => error);
    expect(String(error)).toContain(`${file} does not hold a secret`);
    expect(String(error)).not.toContain("not a secret\n");
    expect(await readFile(file, "utf8")).toBe("not a secret");
  });

  test("is not read through a link", async () => {
    const directory = await folder();
    await writeFile(path.join(directory, "elsewhere"), "0".repeat(64));
    await symlink("elsewhere", path.join(directory, installSecretFileName));
    await expect(readOrCreateInstallSecret(directory)).rejects.toThrow();
  });
});

test("keys of files differ from each other and between installations, and stay what they are", () => {
  const [one, other] = ["1".repeat(64), "2".repeat(64)];
  const key = derivePseudonymKey(one, "hooks/a.ts");
  // Placeholders in running conversations depend on it: a change would be noticed by every upstream's cache.
  expect(key).toBe("0254ce641614a370388518ddbf8d96bcfebfd9a2644a55f9a58c86a110455887");
  expect(key).not.toContain("1111");
  expect(new Set([key, derivePseudonymKey(one, "hooks/b.ts"), derivePseudonymKey(other, "hooks/a.ts")]).size).toBe(3);
});

describe("granted variables", () => {
  const read = variableReader(new Map([["A", "configured"]]), { A: "real", B: "real b", BLANK: " ", SECRET: "x" });

  test("come from the configuration first, then from the environment; blank is not set", () => {
    expect(["A", "B", "BLANK", "C", "__proto__", "constructor"].map(read)).toEqual([
      "configured",
      "real b",
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("give their values to the list of secrets, and nothing that is not granted", () => {
    const grants = [{ type: "env", name: "A" }, { type: "env", name: "C" }, { type: "env", name: "A" }, { type: "kv" }] as const;
    expect(grantedValues(grants, read)).toEqual(["configured"]);
  });
});
