import { afterEach, describe, expect, it, vi } from "vitest";

import { answers, plain, refuses } from "../acts.ts";
import { readStream } from "../clients.ts";
import { type Scene, type SceneOptions, startScene, wires } from "../scene.ts";

let scene: Scene;

afterEach(async () => {
  vi.useRealTimers();
  await scene[Symbol.asyncDispose]();
});

async function start(entries: SceneOptions["entries"], more: Omit<SceneOptions, "entries"> = {}): Promise<void> {
  scene = await startScene({ entries, ...more });
}

/** A minute from now. */
const soon = (): string => String(Math.ceil(Date.now() / 1000) + 60);
const unified = "anthropic-ratelimit-unified";

describe.each(Object.values(wires))("over $name", (wire) => {
  it("N9: a limit with a time to wait: another deployment answers at once, and the first is left alone so long", async () => {
    await start([
      { name: "a", wire, acts: [refuses(429, { headers: { "retry-after": "30" } })] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    const answer = await scene.ask();
    expect([answer.status, readStream(answer.text).text, answer.headers["retry-after"]]).toEqual([200, "from b", undefined]);
    expect(await scene.attempts(answer)).toEqual(["a", "b"]);
    const { a } = await scene.health();
    expect(a).toMatchObject({ state: "cooled", status: 429, cooldown: { scope: "deployment", reason: "429 rate-limit" } });
    expect(a?.cooldown?.ms).toBeGreaterThan(29_000);
    expect(a?.cooldown?.ms).toBeLessThanOrEqual(30_000);
    expect(await scene.attempts(await scene.ask())).toEqual(["b"]);
    expect(await scene.records()).toMatchObject([
      { outcome: "completed", attempts: 2, deployment: "b" },
      { outcome: "completed", attempts: 1, deployment: "b" },
    ]);
  });

  it("N8: overloaded twice, then not: three attempts, and the client sees the third alone", async () => {
    const busy = refuses(529, { headers: { "retry-after-ms": "1" } });
    await start([{ name: "a", wire, acts: [busy, busy, answers("at last")] }]);
    const answer = await scene.ask();
    expect([answer.status, readStream(answer.text)]).toMatchObject([200, { text: "at last", ending: { type: "complete" } }]);
    expect(answer.headers).toMatchObject({ "x-ccproxy-attempts": "3", "x-litellm-attempted-retries": "2" });
    expect(answer.headers["x-should-retry"]).toBeUndefined();
    expect(await scene.attempts(answer)).toEqual(["a", "a", "a"]);
    expect((await scene.health())["a"]?.minute).toMatchObject({ requests: 3, successes: 1, failures: 2 });
    expect(await scene.records()).toMatchObject([{ outcome: "completed", status: 200, attempts: 3 }]);
  });

  it("F6: overloaded for good: two retries, then the fallback", async () => {
    await start(
      [
        { name: "a", wire, acts: [refuses(529)] },
        { name: "n", wire, group: "other", acts: [answers("from n")] },
      ],
      { router: { fallbacks: [{ m: ["other"] }] } },
    );
    const answer = await scene.ask();
    expect([answer.status, readStream(answer.text).text]).toEqual([200, "from n"]);
    expect(await scene.attempts(answer)).toEqual(["a", "a", "a", "n"]);
    expect(answer.headers).toMatchObject({
      "x-ccproxy-attempts": "4",
      "x-ccproxy-fallback": "other",
      "x-litellm-attempted-retries": "2",
      "x-litellm-attempted-fallbacks": "1",
    });
    expect((await scene.health())["a"]?.minute).toMatchObject({ requests: 3, failures: 3 });
  });

  it("F6: overloaded three times in a row: out of use where there is another", async () => {
    await start([
      { name: "a", wire, acts: [refuses(529)] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    for (let count = 0; count < 3; count++) expect(await scene.attempts(await scene.ask())).toEqual(["a", "b"]);
    expect(await scene.attempts(await scene.ask())).toEqual(["b"]);
    expect((await scene.health())["a"]).toMatchObject({ state: "cooled", status: 529 });
  });

  it("F6: overloaded, and nobody else to ask: the error, and a client that is told not to try again", async () => {
    await start([{ name: "a", wire, acts: [refuses(529, { message: "Overloaded" })] }]);
    const answer = await scene.ask();
    expect([answer.status, answer.json()]).toMatchObject([
      529,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    ]);
    expect(answer.headers).toMatchObject({ "x-should-retry": "false", "x-ccproxy-attempts": "3" });
    expect(await scene.attempts(answer)).toEqual(["a", "a", "a"]);
  });

  it("N10: a limit, and nobody else to ask: as the host said it, at once", async () => {
    const headers = { "retry-after": "7", "x-ratelimit-remaining-requests": "0" };
    await start([{ name: "a", wire, acts: [refuses(429, { headers, message: "Slow down" })] }]);
    const answer = await scene.ask();
    expect([answer.status, answer.json()]).toMatchObject([
      429,
      { type: "error", error: { type: "rate_limit_error", message: "Slow down" } },
    ]);
    expect(answer.headers).toMatchObject({ "retry-after": "7", "x-ccproxy-attempts": "1" });
    expect(answer.headers["x-should-retry"]).toBeUndefined();
    expect(await scene.attempts(answer)).toEqual(["a"]);
    // The only one stays in use.
    expect((await scene.health())["a"]?.cooldown).toBeNull();
  });

  it.each<[string, () => string, number]>([
    ["garbage", () => "soon", 5000],
    ["less than nothing", () => "-5", 5000],
    ["a time that is over", () => "Wed, 21 Oct 2015 07:28:00 GMT", 5000],
    ["a date", () => new Date(Date.now() + 600_000).toUTCString(), 600_000],
    ["for ever", () => "1000000000", 7 * 24 * 3_600_000],
    ["nothing at all", () => "0", 5000],
  ])("N11: a time to wait that is %s: within reason", async (_, value, ms) => {
    await start([
      { name: "a", wire, acts: [refuses(429, { headers: { "retry-after": value() } })] },
      { name: "b", wire, acts: [answers("from b")] },
    ]);
    expect(await scene.attempts(await scene.ask())).toEqual(["a", "b"]);
    const cooledMs = (await scene.health())["a"]?.cooldown?.ms ?? 0;
    expect(cooledMs).toBeLessThanOrEqual(ms);
    // A date has no parts of a second.
    expect(cooledMs).toBeGreaterThan(ms - 3000);
  });
});

describe("a host of the vendor", () => {
  it("F3: a limit, and nobody else to ask: every byte and every header of it", async () => {
    const text = '{"type":"error", "error":{"type":"rate_limit_error","message":"é\\u00e9"},"more":1.0}';
    const headers = {
      "retry-after": "7",
      "request-id": "req_1",
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:00Z",
      "x-should-retry": "true",
    };
    await start([{ name: "a", acts: [plain(429, text, headers)] }]);
    const answer = await scene.ask();
    expect([answer.status, answer.text, answer.headers]).toMatchObject([429, text, headers]);
    expect(await scene.attempts(answer)).toEqual(["a"]);
  });

  const key = { api_key: "sk-ant-shared" };

  /** `a` and `c` are two models behind one key of one host. */
  const startLimited = (claim: string): Promise<void> => {
    const headers = { [`${unified}-status`]: "rejected", [`${unified}-representative-claim`]: claim, [`${unified}-reset`]: soon() };
    return start([
      { name: "a", params: key, acts: [refuses(429, { headers })] },
      { name: "b", acts: [answers("from b")] },
      { name: "c", at: "a", group: "small", params: key, acts: [answers("from c")] },
    ]);
  };

  it("F4: a window of one model that is used up: that model is left alone until it opens, the key is not", async () => {
    await startLimited("seven_day_opus");
    expect(await scene.attempts(await scene.ask())).toEqual(["a", "b"]);
    const { a, c } = await scene.health();
    expect([a?.cooldown, c?.cooldown]).toMatchObject([{ scope: "deployment", reason: "429 exhausted" }, null]);
    expect(a?.cooldown?.ms).toBeGreaterThan(50_000);
    expect(await scene.attempts(await scene.ask())).toEqual(["b"]);
  });

  it("F4: a window of the whole plan that is used up: the key is left alone, whatever the model", async () => {
    await startLimited("five_hour");
    expect(await scene.attempts(await scene.ask())).toEqual(["a", "b"]);
    const { a, c } = await scene.health();
    expect([a?.cooldown, c?.cooldown]).toMatchObject([
      { scope: "account", reason: "429 exhausted" },
      { scope: "account", reason: "429 exhausted" },
    ]);
    // Of another model there is nobody else: it is asked nevertheless.
    const small = await scene.ask({ model: "small" });
    expect([small.status, readStream(small.text).text]).toEqual([200, "from c"]);
  });

  it("F5: an answer that was paid for beyond the plan: given whole, and the next request goes elsewhere", async () => {
    const headers = { [`${unified}-status`]: "rejected", [`${unified}-representative-claim`]: "five_hour", [`${unified}-reset`]: soon() };
    await start([
      { name: "a", acts: [answers("from a", headers)] },
      { name: "b", acts: [answers("from b")] },
    ]);
    const first = await scene.ask();
    expect([readStream(first.text).text, first.headers[`${unified}-status`]]).toEqual(["from a", "rejected"]);
    const second = await scene.ask();
    expect([readStream(second.text).text, await scene.attempts(second)]).toEqual(["from b", ["b"]]);
    expect((await scene.health())["a"]).toMatchObject({
      state: "cooled",
      reason: "the plan is used up",
      minute: { successes: 1, failures: 0 },
    });
  });

  it.each([1, -1])("F19: a clock that jumps by %d h: who is out of use stays so for as long as before", async (hours) => {
    await start([
      { name: "a", acts: [refuses(429, { headers: { "retry-after": "30" } })] },
      { name: "b", acts: [answers("from b")] },
    ]);
    expect(await scene.attempts(await scene.ask())).toEqual(["a", "b"]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000 });
    expect(await scene.attempts(await scene.ask())).toEqual(["b"]);
    const { cooldown } = (await scene.health())["a"] ?? {};
    expect(cooldown?.ms).toBeGreaterThan(28_000);
    expect(cooldown?.ms).toBeLessThanOrEqual(30_000);
  });
});
