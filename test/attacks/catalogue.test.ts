import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";
import { findAttacks } from "./find-attacks.ts";

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

test("each of the 88 numbers of the catalogue has a home that is there", () => {
  expect(Object.keys(catalogue)).toEqual(Array.from({ length: 88 }, (_, index) => String(index + 1)));
  for (const [number, { file, text }] of Object.entries(catalogue)) {
    const path = pathOf(text === undefined ? `cases/${file}` : `../../${file}`);
    expect(existsSync(path), `${number}: ${path}`).toBe(true);
    if (text !== undefined) expect(readFileSync(path, "utf8"), number).toContain(text);
  }
});

test("names are unique, and several outcomes have a reason", async () => {
  const attacks = await findAttacks();
  expect(attacks.filter(({ file }) => file.startsWith("given/"))).toHaveLength(77);
  expect(new Set(attacks.map(({ attack }) => attack.name)).size).toBe(attacks.length);
  for (const { file, attack } of attacks) {
    expect(attack.expected.length, file).toBeGreaterThan(0);
    if (attack.expected.length > 1) expect(attack.why, file).toBeDefined();
    expect(attack.body === undefined, file).toBe(attack.module !== undefined);
  }
});
