import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { catalogue } from "./catalogue.ts";

const read = (path: string): Promise<string> => readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
const items = Object.entries(catalogue);
const ids = (letter: string, count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

describe("the catalogue of failures", () => {
  it("has every one of them", () => {
    expect(items.map(([id]) => id)).toEqual([...ids("F", 20), ...ids("N", 29)]);
  });

  it.each(items.flatMap(([id, { tests }]) => tests.map(([file, name]) => [id, name, file] as const)))(
    "%s is shown by a test that runs: %s",
    async (_, name, file) => {
      const source = await read(file);
      // As the name of a test, or in the table of one.
      expect(source.split(/[[(,]\s*"/).some((part) => part.startsWith(`${name}"`))).toBe(true);
      expect(source).not.toMatch(/\b(?:it|test|describe)\.(?:skip|todo|only|fails)\b/);
    },
  );

  it("is what the documentation says, row by row", async () => {
    const rows = [...(await read("docs/reliability.md")).matchAll(/^\| ([FN]\d+) \| (.*) \| (.*) \|$/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(items.map(([id, { title, sees }]) => [id, title, sees]));
  });
});
