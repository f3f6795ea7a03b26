import { describe, expect, test } from "vitest";

import { choosing } from "../../helpers/choosing.ts";

const tagged = [
  { id: "free", routing: { tags: ["free"] } },
  { id: "paid", routing: { tags: ["paid", "fast"] } },
  { id: "slow", routing: { tags: ["paid"] } },
  { id: "none" },
];

/** Whom a request with these tags may be sent to, or the error. */
async function allowed(wanted: Parameters<typeof choosing>[0], tags: readonly string[], matchAny = true): Promise<string> {
  const { choose } = await choosing(wanted, { tags: { enabled: true, matchAny } });
  const ids = new Set<string>();
  for (let time = 0; time < 60; time++) {
    const choice = await choose({ tags });
    if (choice.type === "none") return `${choice.error.status} ${choice.error.kind}: ${choice.error.message}`;
    ids.add(choice.target.deployment.deploymentId);
  }
  return [...ids].toSorted().join(" ");
}

const usual = [...tagged, { id: "usual", routing: { tags: ["default", "cheap"] } }];

describe("a request with tags goes", () => {
  test.each([
    ["to whoever has one of them", tagged, ["fast", "free"], "free paid"],
    ["to whoever has it", tagged, ["paid"], "paid slow"],
    ["to the usual ones where nobody has any", usual, ["unknown"], "usual"],
    ["to a usual one for its other tag", usual, ["cheap"], "usual"],
    ["nowhere else where somebody has one of them", usual, ["unknown", "free"], "free"],
    ["not to those it excludes", tagged, ["paid", "!fast"], "slow"],
    ["only to those that have what it requires", tagged, ["&paid"], "paid slow"],
    ["only to those that have what it requires, usual or not", usual, ["&paid"], "paid slow"],
    ["only to those that have all it requires, and one of the others", tagged, ["&paid", "fast", "free"], "paid"],
    ["to all but those it excludes", tagged, ["!paid"], "free none"],
    ["to the usual ones but those it excludes", [...usual, { id: "usual too", routing: { tags: ["default"] } }], ["!cheap"], "usual too"],
    ["by its own tags where a sign stands alone", tagged, ["!", "&", "free"], "free"],
  ])("%s", async (_, wanted, tags, ids) => {
    expect(await allowed(wanted, tags)).toBe(ids);
  });

  test("only to those that have all of them, where any is not enough", async () => {
    expect(await allowed(tagged, ["paid", "fast"], false)).toBe("paid");
    expect(await allowed(usual, ["paid", "free"], false)).toBe("usual");
  });

  test.each([
    ["nobody has them", tagged, ["unknown", "other"], "['unknown', 'other']"],
    ["nobody has all it requires", tagged, ["&paid", "&free"], "['&paid', '&free']"],
    ["all usual ones are excluded", usual, ["!cheap"], "['!cheap']"],
  ])("nowhere where %s, and is told so in LiteLLM's words", async (_, wanted, tags, shown) => {
    const error = `401 authentication_error: Not allowed to access model due to tags configuration. Passed model=g and tags=${shown}`;
    expect(await allowed(wanted, tags)).toBe(error);
  });
});

describe("a request without tags goes", () => {
  test("to the usual ones where there are some, else to all", async () => {
    expect(await allowed(usual, [])).toBe("usual");
    expect(await allowed(tagged, [])).toBe("free none paid slow");
  });
});

test("tags mean nothing where they are not enabled, and nothing to who names a deployment", async () => {
  const off = await choosing(usual);
  expect(await off.choose({ tags: ["unknown"] })).toMatchObject({ type: "target", others: 4 });
  const on = await choosing(tagged, { tags: { enabled: true, matchAny: true } });
  expect(await on.chosen({ name: "free", tags: ["paid"] })).toBe("free by only");
  on.cool("deployment:free", 1000);
  expect(await on.chosen({ name: "free", tags: ["paid"] })).toBe("free by only");
  const accounts = ["k1", "k2"].map((apiKey) => ({ apiKey, organization: undefined }));
  const keys = await choosing([{ id: "free", accounts, routing: { tags: ["free"] } }], { tags: { enabled: true, matchAny: true } });
  expect(await keys.chosen({ name: "free", tags: ["paid"] })).toMatch(/^free(~2)? by strategy$/);
});

test("they hold for a deployment alone, and are told in the trace", async () => {
  const alone = await choosing([{ id: "free", routing: { tags: ["free"] } }], { tags: { enabled: true, matchAny: true } });
  expect(await alone.chosen({ tags: ["paid"] })).toMatch(/^401/);
  const { choose, exchange } = await choosing(tagged, { tags: { enabled: true, matchAny: true } });
  const made = exchange({ tags: ["free"] });
  await choose({}, made);
  const why = "its tags do not match";
  expect(made.trace.steps).toMatchObject([{ what: "left out", detail: { paid: why, slow: why, none: why } }]);
});
