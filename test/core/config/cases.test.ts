/**
 * One file of `cases/` is one folder of configuration and what becomes of it:
 *
 *     first lines: what the case shows
 *     --- config.yaml            any file; `--- environment` holds NAME=value lines
 *     --- faults                 what `ccproxy check` would print
 *     --- values                 lines `path = JSON` of the loaded configuration; `config = null` when there is none
 *
 * `UPDATE_CASES=1` writes what is found into the files, for reading over.
 */

import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatFaults } from "../../../core/config/format.ts";
import { loadConfig } from "../../../core/config/load.ts";

const casesFolder = join(import.meta.dirname, "cases");
let scratch = "";

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), "ccproxy-cases-")));
});
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const names = await readdir(casesFolder);

test("there are cases", () => {
  expect(names.length).toBeGreaterThan(30);
});

for (const name of names) {
  const text = await readFile(join(casesFolder, name), "utf8");
  const { title, sections } = parseCase(text);
  test(`${name}: ${title}`, async () => {
    const directory = join(scratch, name);
    await mkdir(directory);
    const environment: Record<string, string> = {};
    for (const [section, content] of sections) {
      if (section === "environment") {
        for (const [, key, value] of content.matchAll(/^(\w+)=(.*)$/gm)) environment[key ?? ""] = value ?? "";
      } else if (section !== "faults" && section !== "values") {
        await mkdir(dirname(join(directory, section)), { recursive: true });
        await writeFile(join(directory, section), content);
      }
    }
    const { config, faults } = await loadConfig({ directory, environment });
    const found = formatFaults(faults).replaceAll(`${directory}/`, "");
    const wantedValues = sections.get("values") ?? "";
    const foundValues = readValues(wantedValues, config, directory);
    if (process.env["UPDATE_CASES"] === "1") {
      await writeFile(join(casesFolder, name), printCase(title, new Map([...sections, ["faults", found], ["values", foundValues]])));
      return;
    }
    expect(found).toBe(sections.get("faults") ?? "");
    expect(foundValues).toBe(wantedValues);
    expect(config === undefined).toBe(faults.some(({ severity }) => severity === "error"));
  });
}

function parseCase(text: string): { title: string; sections: Map<string, string> } {
  const [title = "", ...rest] = text.split(/^--- (\S+)\n/m);
  const sections = new Map<string, string>();
  for (let index = 0; index < rest.length; index += 2) sections.set(rest[index] ?? "", rest[index + 1] ?? "");
  return { title: title.trim(), sections };
}

function printCase(title: string, sections: ReadonlyMap<string, string>): string {
  const files = [...sections].filter(([name]) => name !== "faults" && name !== "values");
  const results = ["faults", "values"].map((name) => [name, sections.get(name) ?? ""] as const).filter(([, content]) => content !== "");
  return `${title}\n${[...files, ...results].map(([name, content]) => `--- ${name}\n${content}`).join("")}`;
}

function readValues(wanted: string, config: unknown, directory: string): string {
  return [...wanted.matchAll(/^(\S+) = .*$/gm)]
    .map(([, path = ""]) => {
      let value: unknown = path === "config" || path.startsWith("config.") ? { config } : config;
      for (const segment of path.split(/[.[\]]+/).filter((part) => part !== "")) {
        value = value instanceof Map ? value.get(segment) : (value as Record<string, unknown> | undefined)?.[segment];
      }
      const json = JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? Object.fromEntries(part) : part)) ?? "null";
      return `${path} = ${json.replaceAll(directory, "")}\n`;
    })
    .join("");
}
