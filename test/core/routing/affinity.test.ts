import { describe, expect, test } from "vitest";

import { type RouterConfig, defaultRouter } from "../../../core/config/router-types.ts";
import { type Choosing, choosing } from "../../helpers/choosing.ts";

const two = [{ id: "a" }, { id: "b" }];
const leastBusy: Partial<RouterConfig> = { strategy: { name: "least-busy", args: {}, location: undefined } };

const s = { session: "s" };

/** With a session that `a` has answered. */
async function bound(...[wanted, router]: Parameters<typeof choosing>): Promise<Choosing> {
  const setup = await choosing(wanted, router);
  await setup.bind("s", "a");
  return setup;
}

describe("a session", () => {
  test("goes where the strategy says until somebody has answered it", async () => {
    const setup = await choosing(two, leastBusy);
    setup.store.begin("a");
    expect(await setup.chosen(s)).toBe("b by strategy");
  });

  test("stays with who answered it, although another one is idle", async () => {
    const setup = await bound(two, leastBusy);
    for (let each = 0; each < 5; each++) setup.store.begin("a");
    expect(await setup.chosen(s)).toBe("a by affinity");
    expect(await setup.choose(s)).toMatchObject({ others: 1 });
  });

  test("holds nobody but itself, and in no other group", async () => {
    const setup = await bound([...two, { id: "c", group: "other" }, { id: "d", group: "other" }], leastBusy);
    setup.store.begin("a");
    setup.store.begin("c");
    expect(await setup.chosen({ session: "another" })).toBe("b by strategy");
    expect(await setup.chosen()).toBe("b by strategy");
    expect(await setup.chosen({ ...s, name: "other" })).toBe("d by strategy");
    await setup.bind("s", "c", "other");
    expect(await setup.chosen({ ...s, name: "other" })).toBe("c by affinity");
    expect(await setup.chosen(s)).toBe("a by affinity");
  });

  test("goes elsewhere while its deployment is out of use, and comes back only if nobody else has answered meanwhile", async () => {
    const setup = await bound(two, leastBusy);
    setup.cool("deployment:a", 1000);
    expect(await setup.chosen(s)).toBe("b by only");
    setup.advance(1000);
    expect(await setup.chosen(s)).toBe("a by affinity");
    setup.cool("deployment:a", 1000);
    await setup.bind("s", "b");
    setup.advance(1000);
    setup.store.begin("b");
    expect(await setup.chosen(s)).toBe("b by affinity");
  });

  test("goes elsewhere when its deployment has failed for the request", async () => {
    expect(await (await bound(two)).chosen({ ...s, tried: { a: 1 } })).toBe("b by strategy");
  });

  test("stays where all have failed equally often", async () => {
    const setup = await bound(two, leastBusy);
    setup.store.begin("a");
    expect(await setup.chosen({ ...s, tried: { a: 1, b: 1 } })).toBe("a by affinity");
  });

  test("goes elsewhere when its deployment is over its limits, enforced or not", async () => {
    const requests = await bound(
      [
        { id: "a", routing: { rpm: 2 } },
        { id: "b", routing: { rpm: 1 } },
      ],
      leastBusy,
    );
    requests.store.begin("a");
    expect(await requests.chosen(s)).toBe("a by affinity");
    requests.store.begin("a");
    expect(await requests.chosen(s)).toBe("b by strategy");
    const tokens = await bound([
      { id: "a", routing: { tpm: 100 } },
      { id: "b", routing: { weight: 0 } },
    ]);
    tokens.use("a", 1, 99);
    expect(await tokens.chosen(s)).toBe("a by affinity");
    tokens.use("a", 1, 1);
    expect(await tokens.chosen(s)).toMatch(/by strategy$/);
  });

  test("goes back to a lower order that is in use again", async () => {
    const setup = await bound([
      { id: "a", routing: { order: 2 } },
      { id: "b", routing: { order: 1 } },
    ]);
    expect(await setup.chosen(s)).toBe("b by strategy");
    setup.cool("deployment:b", 1000);
    expect(await setup.chosen(s)).toBe("a by only");
  });

  test("goes elsewhere where its tags do not let it stay", async () => {
    const tagged = [
      { id: "a", routing: { tags: ["free"] } },
      { id: "b", routing: { tags: ["paid"] } },
      { id: "c", routing: { tags: ["paid"] } },
    ];
    const setup = await bound(tagged, { tags: { enabled: true, matchAny: true } });
    expect(await setup.chosen({ ...s, tags: ["free"] })).toBe("a by only");
    expect(await setup.chosen({ ...s, tags: ["paid"] })).toMatch(/^[bc] by strategy$/);
  });

  test("is forgotten so long after its last answer, and each answer counts", async () => {
    const setup = await bound(two, { ...leastBusy, affinity: { enabled: true, ttlMs: 1000 } });
    setup.store.begin("a");
    setup.advance(999);
    expect(await setup.chosen(s)).toBe("a by affinity");
    await setup.bind("s", "a");
    setup.advance(999);
    expect(await setup.chosen(s)).toBe("a by affinity");
    setup.advance(1);
    expect(await setup.chosen(s)).toBe("b by strategy");
  });

  test("stays nowhere where that is not wanted", async () => {
    const setup = await bound(two, { ...leastBusy, affinity: { ...defaultRouter.affinity, enabled: false } });
    setup.store.begin("a");
    expect(await setup.chosen(s)).toBe("b by strategy");
    expect(setup.store.size.sessions).toBe(0);
  });

  test("is not remembered where there is no choice", async () => {
    const setup = await bound([{ id: "a" }]);
    expect(setup.store.size.sessions).toBe(0);
  });

  test("stays with one key of several, and moves to another when that one is used up", async () => {
    const accounts = ["k1", "k2"].map((apiKey) => ({ apiKey, organization: undefined }));
    const setup = await choosing([{ id: "a", apiKey: "k1", accounts }], leastBusy);
    await setup.bind("s", "a~2");
    setup.store.begin("a~2");
    expect(await setup.chosen(s)).toBe("a~2 by affinity");
    setup.cool(`account:${setup.leg().deployments[1]?.account}`, 1000);
    expect(await setup.chosen(s)).toBe("a by only");
  });

  test("that is bound to what is no longer configured goes where the strategy says", async () => {
    const setup = await choosing(two, leastBusy);
    setup.store.bind("s g", "gone", 1000);
    expect(await setup.chosen(s)).toMatch(/by strategy$/);
  });
});
