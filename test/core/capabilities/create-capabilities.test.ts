import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { createCapabilities, type CreatedCapabilities } from "../../../core/capabilities/create-capabilities.ts";
import type { Grant } from "../../../core/config/types.ts";
import { Exchange, type ExchangeInit } from "../../../core/exchange.ts";
import type { LoadedUnit } from "../../../core/phases/user-program.ts";
import type { LogFields } from "../../../sdk/log.ts";

interface Fixture {
  readonly capabilities: CreatedCapabilities;
  readonly directory: string;
  readonly logged: LogFields[];
}

async function setUp(): Promise<Fixture> {
  const directory = await mkdtemp(path.join(tmpdir(), "ccproxy-capabilities-"));
  const logged: LogFields[] = [];
  const log = (fields: LogFields): void => void logged.push(fields);
  const capabilities = createCapabilities({
    directory,
    logger: { debug: log, info: log, warn: log, error: log },
    callModel: async ({ group }, parent) => ({ group, parent: parent.id }),
    redact: (text) => text,
    ownPort: () => undefined,
  });
  onTestFinished(async () => {
    await capabilities.close();
    await rm(directory, { recursive: true });
  });
  return { capabilities, directory, logged };
}

/** As far as capabilities look at it. */
function exchangeOf(session: string | undefined): Exchange {
  const headers = { get: (name: string) => (name === "x-claude-code-session-id" ? session : undefined) };
  const init = { snapshot: {}, ingress: {}, operation: "generate", headers, now: () => 0 };
  const exchange = new Exchange(init as unknown as ExchangeInit);
  exchange.receive(createRequestBody(Buffer.from('{"model":"m"}')));
  return exchange;
}

function unitOf(file: string, grants: readonly Grant[] = []): LoadedUnit {
  return { index: 1, source: { file, exportName: "default", options: { grants } } } as unknown as LoadedUnit;
}

test("state goes from request to request of a session, locals stay with their request", async () => {
  const { capabilities, directory } = await setUp();
  const unit = unitOf("hooks/a.ts");
  const first = exchangeOf("s1");
  await capabilities.commit(first, unit, { state: { n: 1 }, locals: { seen: true } });
  expect(capabilities.stores(first, unit)).toEqual({ state: { n: 1 }, locals: { seen: true } });
  expect(capabilities.stores(exchangeOf("s1"), unit)).toEqual({ state: { n: 1 }, locals: {} });
  expect(capabilities.stores(exchangeOf("s2"), unit)).toBeUndefined();
  expect(capabilities.stores(exchangeOf(undefined), unit)).toBeUndefined();
  expect(await readdir(directory)).toEqual([]);
});

test("what two calls of the same request append is kept twice, in order", async () => {
  const { capabilities } = await setUp();
  const unit = unitOf("hooks/a.ts", [{ type: "kv" }]);
  const exchange = exchangeOf("s1");
  for (const line of [1, 1, 2]) await capabilities.commit(exchange, unit, { kv: [{ op: "append", key: "log", line }] });
  const { signal } = new AbortController();
  const operation = { seq: 0, op: "kv.lines", key: "log", last: 10 } as const;
  expect(await capabilities.operations(exchange, [unit]).run(1, operation, "key", signal)).toEqual({ seq: 0, ok: true, value: [1, 1, 2] });
});

test("writes to kv without the grant are refused, and make no file", async () => {
  const { capabilities, directory, logged } = await setUp();
  await capabilities.commit(exchangeOf("s1"), unitOf("hooks/a.ts"), { kv: [{ op: "set", key: "a", value: 1 }] });
  expect(logged).toMatchObject([{ file: "hooks/a.ts", text: 'context.kv needs the grant "kv"' }]);
  expect(await readdir(directory)).toEqual([]);
});

test("what could not be kept is said in the log, and fails nothing", async () => {
  const { capabilities, directory, logged } = await setUp();
  await writeFile(path.join(directory, "user-kv.db"), "no database at all ".repeat(100));
  const exchange = exchangeOf("s1");
  const unit = unitOf("hooks/a.ts", [{ type: "kv" }]);
  await capabilities.commit(exchange, unit, { state: { a: "x".repeat(70_000) }, kv: [{ op: "set", key: "a", value: 1 }] });
  expect(logged).toMatchObject([
    { requestId: exchange.id, file: "hooks/a.ts", text: expect.stringContaining("context.state of hooks/a.ts would hold") },
    { requestId: exchange.id, file: "hooks/a.ts", error: expect.objectContaining({ message: expect.stringContaining("not a database") }) },
  ]);
});

test("a nested call knows the request that it belongs to", async () => {
  const { capabilities } = await setUp();
  const exchange = exchangeOf("s1");
  const unit = unitOf("hooks/a.ts", [{ type: "callModel", group: "fast" }]);
  const request = { model: "fast", messages: [{ role: "user", content: "hi" }] };
  const { signal } = new AbortController();
  const result = await capabilities.operations(exchange, [unit]).run(1, { seq: 0, op: "callModel", request }, "key", signal);
  expect(result).toEqual({ seq: 0, ok: true, value: { group: "fast", parent: exchange.id } });
});
