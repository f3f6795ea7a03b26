import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatFaults } from "../../../core/config/format.ts";
import { loadConfig } from "../../../core/config/load.ts";
import type { Config, Fault, LoadedConfig } from "../../../core/config/types.ts";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-load-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function load(files: Readonly<Record<string, string | Uint8Array>>, environment: Record<string, string> = {}): Promise<LoadedConfig> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return loadConfig({ directory, environment });
}

async function loaded(files: Readonly<Record<string, string | Uint8Array>>, environment: Record<string, string> = {}): Promise<Config> {
  const { config, faults } = await load(files, environment);
  if (config === undefined) throw new Error(formatFaults(faults));
  return config;
}

async function onlyFault(files: Readonly<Record<string, string | Uint8Array>>): Promise<Fault> {
  const { config, faults } = await load(files);
  expect(config).toBeUndefined();
  expect(faults).toHaveLength(1);
  return faults[0]!;
}

const deployment = "model_list:\n  - {model_name: a, litellm_params: {model: anthropic/a}}\n";

test("a byte order mark and CRLF line ends change neither meaning nor places", async () => {
  const lines = ["model_list:", "  - model_name: a", "    litellm_params:", "      model: anthropic/a", "      timeout: soon", ""];
  const plain = await onlyFault({ "config.yaml": lines.join("\n") });
  const decorated = await onlyFault({ "config.yaml": `\uFEFF${lines.join("\r\n")}` });
  expect(decorated).toEqual(plain);
  expect(plain).toMatchObject({ line: 5, column: 16 });

  const config = await loaded({ "config.yaml": `\uFEFF${deployment.replaceAll("\n", "\r\n")}` });
  expect(config.deployments[0]).toMatchObject({ group: "a", model: "anthropic/a" });
  expect(config.deployments[0]!.location).toMatchObject({ line: 2, column: 5 });
});

test("a file of more than 1 MB is refused, one of 1 MB is read", async () => {
  const filler = (bytes: number): string => `${deployment}#${"x".repeat(bytes - deployment.length - 2)}\n`;
  expect((await loaded({ "config.yaml": filler(1_048_576) })).deployments).toHaveLength(1);
  const fault = await onlyFault({ "config.yaml": filler(1_048_577) });
  expect(fault.message).toContain("1048577 bytes, at most 1048576");
});

test("what is no UTF-8 text is refused, with its line", async () => {
  expect(await onlyFault({ "config.yaml": Buffer.concat([Buffer.from("a: 1\nb: "), Buffer.from([0xff, 0x0a])]) })).toMatchObject({
    line: 2,
    message: expect.stringContaining("not UTF-8"),
  });
  expect(await onlyFault({ "config.yaml": "a: 1\n\nb: \0\n" })).toMatchObject({ line: 3, message: expect.stringContaining("NUL") });
  expect((await onlyFault({ "config.yaml": Buffer.from(`\uFEFF${deployment}`, "utf16le") })).message).toContain("UTF-16");
});

test("a folder or a named pipe in the place of a file is refused at once", async () => {
  await mkdir(join(directory, "config.yaml"));
  await promisify(execFile)("mkfifo", [join(directory, "ccproxy.yaml")]);
  const { faults } = await load({});
  expect(faults.map(({ message }) => message)).toEqual([
    expect.stringContaining("is a folder"),
    expect.stringContaining("not a regular file"),
  ]);
});

test("an alias bomb is refused", async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `l${level}: &l${level} [${
        level === 0
          ? "x"
          : Array(9)
              .fill(`*l${level - 1}`)
              .join()
      }]`,
  );
  const fault = await onlyFault({ "config.yaml": `${levels.join("\n")}\n` });
  expect(fault.message).toContain("aliases expand to more than 200000 values");
});

test("a bomb of merge keys is refused", async () => {
  const base = Array.from({ length: 1000 }, (_, index) => `k${index}: 1`).join(", ");
  const merged = Array.from({ length: 500 }, () => "  - {<<: *base}").join("\n");
  const fault = await onlyFault({ "config.yaml": `base: &base {${base}}\nlist:\n${merged}\n` });
  expect(fault.message).toContain("aliases expand to");
});

test("more aliases than anyone writes are refused", async () => {
  const fault = await onlyFault({ "config.yaml": `a: &a 1\nlist: [${Array(1001).fill("*a").join()}]\n` });
  expect(fault.message).toContain("uses 1001 aliases");
});

test("an alias inside its own anchor is refused", async () => {
  expect(await onlyFault({ "config.yaml": "a: &a [*a]\n" })).toMatchObject({ line: 1, column: 8 });
});

test("a file with very many levels is refused", async () => {
  expect((await onlyFault({ "config.yaml": `list: ${"[".repeat(150)}${"]".repeat(150)}\n` })).message).toContain("nested");
  expect((await onlyFault({ "config.yaml": `list: ${"[".repeat(20_000)}` })).message).toContain("nested");
});

test("a mapping with thousands of keys is searched for repeated ones all the same", async () => {
  const keys = Array.from({ length: 3_000 }, (_, index) => `k${index}: 1`);
  const { faults } = await load({ "config.yaml": `${deployment}environment_variables:\n  ${[...keys, "k0: 2"].join("\n  ")}\n` });
  expect(faults.map(({ line, message }) => [line, message])).toEqual([[3_004, expect.stringContaining('"k0" stands twice')]]);
});

test("a file full of YAML faults is not answered with as many messages", async () => {
  const { faults } = await load({ "config.yaml": "x: [\n".repeat(300) });
  expect(faults.length).toBeLessThan(30);
});

test("the environment of the process is left alone", async () => {
  const before = { ...process.env };
  const environment = Object.freeze({ SET: "from-the-shell" });
  const { config } = await loadConfigFrom(`environment_variables: {SET: a, UNSET: b, PATH: c}\n${deployment}`, environment);
  expect({ ...process.env }).toEqual(before);
  expect([...config!.environmentVariables]).toEqual([
    ["SET", "from-the-shell"],
    ["UNSET", "b"],
    ["PATH", "c"],
  ]);
});

async function loadConfigFrom(content: string, environment: Readonly<Record<string, string>>): Promise<LoadedConfig> {
  await writeFile(join(directory, "config.yaml"), content);
  return loadConfig({ directory, environment });
}

test("a link may not lead an include out of the folder, but the main file may be one", async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), "ccproxy-elsewhere-"));
  try {
    await writeFile(join(elsewhere, "secret.yaml"), deployment);
    await symlink(join(elsewhere, "secret.yaml"), join(directory, "linked.yaml"));
    expect(await onlyFault({ "config.yaml": "include: [linked.yaml]\n" })).toMatchObject({
      path: "include[0]",
      message: expect.stringContaining("leads out of the configuration folder"),
    });
    await rm(join(directory, "config.yaml"));
    await writeFile(join(elsewhere, "config.yaml"), "include: [linked.yaml]\n");
    await symlink(join(elsewhere, "config.yaml"), join(directory, "config.yaml"));
    expect((await loaded({})).deployments).toHaveLength(1);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
});

test("a rule entry knows where each of its parameters stands", async () => {
  const { rules } = await loaded({
    "config.yaml": deployment,
    "ccproxy.yaml": `ccproxy:
  rules:
    - name: a
      rule: R
      params:
        - threshold: 1
        - other: {deep: [1, 2]}
          threshold: 2
    - name: b
      rule: R
      params: {threshold: 1}
    - name: c
      rule: R
      params: [1, x]
    - name: d
      rule: R
      params: 60000
    - name: e
      rule: R
`,
  });
  const place = (rule: number, ...path: (string | number)[]): readonly number[] => {
    const { line, column } = rules[rule]!.locate(path);
    return [line, column];
  };
  expect(place(0, "threshold")).toEqual([8, 22]);
  expect(place(0, "other", "deep", 1)).toEqual([7, 29]);
  expect(place(0, "unknown")).toEqual([6, 9]);
  expect(place(0)).toEqual([6, 9]);
  expect(place(1, "threshold")).toEqual([11, 27]);
  expect(place(2, 1)).toEqual([14, 19]);
  expect(place(3, 0)).toEqual([17, 15]);
  expect(place(4, "threshold")).toEqual([18, 7]);
  expect(rules[0]!.location).toMatchObject({ file: join(directory, "ccproxy.yaml"), line: 3, column: 7 });
});

test("loading the same folder twice gives the same ids, whatever the key", async () => {
  const text = "model_list:\n  - {model_name: a, litellm_params: {model: x, api_key: os.environ/KEY}}\n";
  const first = await loaded({ "config.yaml": text }, { KEY: "first-key" });
  const second = await loaded({ "config.yaml": text }, { KEY: "second-key" });
  expect(second.deployments[0]!.id).toBe(first.deployments[0]!.id);
  expect(first.secrets).toEqual(["first-key"]);
});

test("a folder that does not exist is told like a missing file", async () => {
  const { config, faults } = await loadConfig({ directory: join(directory, "nowhere"), environment: {} });
  expect(config).toBeUndefined();
  expect(faults).toMatchObject([{ severity: "error", file: join(directory, "nowhere", "config.yaml") }]);
});
