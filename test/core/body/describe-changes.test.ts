import { expect, it } from "vitest";
import { describeChanges } from "../../../core/body/describe-changes.ts";
import { PatchError } from "../../../core/body/patch-error.ts";
import type { Patch } from "../../../core/body/patch-format.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";

const body = createRequestBody(
  Buffer.from('{"model":"m","system":"Be brief.","tools":[{"n":0},{"n":1},{"n":2}],"messages":[{"content":["a","b"]}],"x":1,"x":2}'),
);

it("says the path and both sides of every change", () => {
  const patch: Patch = {
    o: {
      model: { v: '"other"' },
      system: null,
      tools: { a: [[0, 0], { v: '{"n":9}' }, [2, { o: { n: { v: "3" } } }]] },
      messages: { e: { 0: { o: { content: { e: { 1: { v: '"c"' } } } } } } },
      thinking: { v: "{}" },
      x: { v: "2" },
      "no such": null,
    },
  };
  expect(describeChanges(body, patch)).toEqual([
    { path: "model", before: '"m"', after: '"other"' },
    { path: "system", before: '"Be brief."', after: "" },
    { path: "tools[1]", before: "", after: '{"n":9}' },
    { path: "tools[2].n", before: "2", after: "3" },
    { path: "tools[1]", before: '{"n":1}', after: "" },
    { path: "messages[0].content[1]", before: '"b"', after: '"c"' },
    { path: "thinking", before: "", after: "{}" },
  ]);
});

it("says the order when it is another one", () => {
  expect(describeChanges(body, { o: { tools: { a: [[2, 2], { v: "1" }, [0, 1]] } } })).toEqual([
    { path: "tools[1]", before: "", after: "1" },
    { path: "tools", before: "order: 0-2", after: "order: 2, new, 0-1" },
  ]);
});

it("cuts long texts to what lies around the first difference", () => {
  const before = `${"x".repeat(1000)} old ${"y".repeat(1000)}`;
  const [change] = describeChanges(createRequestBody(Buffer.from(JSON.stringify({ system: before }))), {
    o: { system: { v: JSON.stringify(before.replace("old", "new")) } },
  });
  expect(change!.before).toMatch(/^…x{39} old y+…$/);
  expect(change!.after).toMatch(/^…x{39} new y+…$/);
  expect([change!.before.length, change!.after.length]).toEqual([200, 200]);
});

it("lists at most two hundred", () => {
  const list = Array.from({ length: 500 }, (_, at) => at);
  const patch = { o: { a: { e: Object.fromEntries(list.map((at) => [at, { v: '"x"' }])) } } };
  expect(describeChanges(createRequestBody(Buffer.from(JSON.stringify({ a: list }))), patch)).toHaveLength(200);
});

it("refuses a patch that does not fit", () => {
  expect(() => describeChanges(body, { o: { model: { o: {} } } })).toThrow(PatchError);
  expect(() => describeChanges(body, { o: { tools: { a: [[0, 3]] } } })).toThrow("tools[3]");
});
