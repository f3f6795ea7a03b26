import { beforeEach, expect, it } from "vitest";
import type { DeploymentConfig } from "../../../core/config/types.ts";
import { createHealthBook, type HealthBook } from "../../../core/health/book.ts";
import { type DeploymentHealthRow, describeHealth } from "../../../core/health/describe.ts";
import { createMemoryRoutingStore } from "../../../core/routing/memory-store.ts";
import type { RoutingStore } from "../../../sdk/routing-store.ts";
import { snapshotOf, target } from "./snapshot-of.ts";

let time = 0;
let store: RoutingStore;
let book: HealthBook;
beforeEach(() => {
  time = 1000;
  const clocks = { now: () => time, wallClock: () => time };
  store = createMemoryRoutingStore(clocks);
  book = createHealthBook(clocks);
});

const stalenessMs = 5000;

async function rowsOf(...deployments: readonly DeploymentConfig[]): Promise<readonly DeploymentHealthRow[]> {
  const snapshot = await snapshotOf(deployments, { stalenessMs });
  return describeHealth({ snapshot, store, book, tokenSources: new Map() });
}

it("knows nothing of what is neither asked nor used, and nothing any more when it is too long ago", async () => {
  const unknown = { state: "unknown", reason: "it was neither asked nor used lately", status: null };
  expect(await rowsOf(target("a"))).toMatchObject([{ id: "a", group: "a", ...unknown, cooldown: null, lastCheck: null }]);
  book.checked("a", { state: "unhealthy", status: 503, error: "down" });
  expect(await rowsOf(target("a"))).toMatchObject([{ state: "unhealthy", reason: "down", status: 503 }]);
  time += stalenessMs + 1;
  const lastCheck = { at: "1970-01-01T00:00:01.000Z", state: "unhealthy", error: "down" };
  expect(await rowsOf(target("a"))).toMatchObject([{ ...unknown, lastCheck }]);
});

it("tells why a check found nothing out", async () => {
  book.checked("a", { state: "unknown", reason: "broken off" });
  expect(await rowsOf(target("a"))).toMatchObject([{ state: "unknown", reason: "broken off" }]);
});

it("calls out of use what is, whatever became of the last request, and tells the longer of two reasons", async () => {
  const [row] = (await snapshotOf([target("a")])).routes.entries();
  book.answered("a");
  await store.cool("deployment:a", { ms: 2000, reason: "3 failures", status: undefined });
  expect(await rowsOf(target("a"))).toMatchObject([
    { state: "cooled", reason: "3 failures", status: null, cooldown: { ms: 2000, scope: "deployment", status: null } },
  ]);
  await store.cool(`account:${row?.deployment.account}`, { ms: 3000, reason: "429 exhausted", status: 429 });
  expect(await rowsOf(target("a"))).toMatchObject([
    { state: "cooled", reason: "429 exhausted", status: 429, cooldown: { ms: 3000, scope: "account" } },
  ]);
  time += 3001;
  expect(await rowsOf(target("a"))).toMatchObject([{ state: "healthy", reason: null, cooldown: null }]);
});

it("tells what is under way and what happened this minute", async () => {
  for (let count = 0; count < 3; count++) await store.begin("a");
  await store.end("a", { outcome: "failure", tokens: 0, latency: undefined, firstContent: undefined });
  await store.end("a", { outcome: "success", tokens: 12, latency: undefined, firstContent: undefined });
  const minute = { requests: 3, successes: 1, failures: 1, tokens: 12 };
  expect(await rowsOf(target("a"), target("b"))).toMatchObject([
    { id: "a", inFlight: 1, minute },
    { id: "b", inFlight: 0, minute: { requests: 0, successes: 0, failures: 0, tokens: 0 } },
  ]);
});

it("needs not ask what answers by itself, cannot be asked at all, or is nobody's to ask", async () => {
  const rows = await rowsOf(
    target("mock", { mockResponse: "hi" }),
    target("strange", { model: "no-such-vendor/x" }),
    target("own", { apiBase: undefined, apiKey: undefined }),
    target("forwarding", { apiKey: undefined, forwardClientAuth: true }),
    target("header", { apiKey: undefined, apiBase: undefined, extraHeaders: { "x-api-key": "x" } }),
  );
  expect(rows.map(({ id, state }) => [id, state])).toEqual([
    ["mock", "healthy"],
    ["strange", "unhealthy"],
    ["own", "unknown"],
    ["forwarding", "unknown"],
    ["header", "unknown"],
  ]);
  expect(rows.map(({ reason }) => reason)).toEqual([
    null,
    expect.stringContaining("no-such-vendor"),
    expect.stringContaining("own login"),
    expect.stringContaining("own login"),
    expect.stringContaining("neither asked nor used"),
  ]);
});

it("shows addresses without what some put into them", async () => {
  const [row] = await rowsOf(target("a", { apiBase: "https://user:pass@host.test/v1?key=secret#part" }));
  expect(row?.apiBase).toBe("https://host.test/v1");
});
