import { describe, expect, it } from "vitest";
import { Exchange, type Settlement } from "../../core/exchange.ts";
import { createRegistry } from "../../core/registry.ts";
import { buildSnapshot, withoutUserCode } from "../../core/snapshot.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { loadedConfig } from "../helpers/config.ts";

async function createExchange(): Promise<Exchange> {
  const registry = createRegistry(builtinPlugins);
  const { snapshot } = await buildSnapshot(loadedConfig(), { registry, loadUserProgram: withoutUserCode }, 1, new Date());
  const { hub: ingress } = registry;
  if (snapshot === undefined) throw new Error("there is no snapshot");
  const headers = { get: () => undefined, endToEnd: [] };
  return new Exchange({ snapshot, ingress, operation: "generate", path: "/", search: "", headers, project: undefined, now: () => 0 });
}

const ending = (status: number): Settlement => ({
  outcome: "completed",
  status,
  summary: undefined,
  bytes: 0,
  firstByteMs: undefined,
  totalMs: 1,
  error: undefined,
});

describe("an exchange", () => {
  it("ends once, whoever says so afterwards, and tells everyone who asked, before or after", async () => {
    const exchange = await createExchange();
    const told: number[] = [];
    exchange.onSettled(({ status }) => told.push(status));
    exchange.settle(ending(200));
    exchange.settle(ending(500));
    exchange.onSettled(({ status }) => told.push(status * 2));
    expect(told).toEqual([200, 400]);
  });

  it("is aborted with the first reason", async () => {
    const exchange = await createExchange();
    exchange.abort(new Error("first"));
    exchange.abort(new Error("second"));
    expect(exchange.signal.reason).toEqual(new Error("first"));
  });

  it("throws when a field is read before its stage ran", async () => {
    const exchange = await createExchange();
    expect(() => exchange.request).toThrow("not been read");
    expect(() => exchange.facts).toThrow("not been read");
    expect(exchange.knownFacts).toBeUndefined();
  });
});
