import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startProxy, type Proxy } from "./helpers/proxy.ts";
import { textReply } from "./helpers/replies.ts";
import { startUpstream, type Upstream } from "./helpers/upstream.ts";

const folder = fileURLToPath(new URL("../examples/keys/", import.meta.url));
const masterKey = "sk-master-of-examples";
const run = promisify(execFile);

let upstream: Upstream;
let proxy: Proxy;

beforeAll(async () => {
  upstream = await startUpstream(textReply("hello", { input_tokens: 1000, output_tokens: 500 }));
  proxy = await startProxy({
    config: await readFile(`${folder}config.yaml`, "utf8"),
    environment: { MASTER_KEY: masterKey, ANTHROPIC_API_KEY: "sk-ant-example", ANTHROPIC_BASE_URL: upstream.url },
  });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

async function script(name: string): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", PROXY_URL: proxy.url, MASTER_KEY: masterKey };
  const { stdout } = await run("bash", [`${folder}${name}`], { env });
  return stdout;
}

test("a key from its creation to its end", async () => {
  const lines = (await script("keys.sh")).trim().split("\n");
  expect(lines).toHaveLength(14);
  expect(lines.find((line) => line.includes("what it spent"))).toMatch(/: 0\.0\d+$/);
  expect(lines.at(-1)).toBe("401 and gone");
});

test("a team, a user in it, and a key of both", async () => {
  expect(await script("team.sh")).toBe("team: 50 USD at most\nuser: ada@example.com\nall gone again\n");
});

test("what was spent", async () => {
  const replies = (await script("spend.sh")).split("\n").filter((line) => line.startsWith("{") || line.startsWith("["));
  const [rows, days, tags, all, report, activity] = replies.map((line): unknown => JSON.parse(line));
  const tagged = { request_tags: ["nightly", "docs"], prompt_tokens: 1000, completion_tokens: 500, spend: 0.0105 };
  expect(rows).toEqual(expect.arrayContaining([expect.objectContaining(tagged)]));
  expect(days).toEqual(expect.arrayContaining([expect.objectContaining({ spend: expect.any(Number), models: expect.any(Object) })]));
  expect(tags).toEqual(expect.arrayContaining([expect.objectContaining({ individual_request_tag: "nightly" })]));
  expect(all).toMatchObject({ spend: expect.any(Number) });
  expect(report).toEqual(expect.any(Array));
  expect(activity).toMatchObject({ results: [{ metrics: { total_tokens: expect.any(Number) } }] });
});
