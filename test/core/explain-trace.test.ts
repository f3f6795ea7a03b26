import { expect, test } from "vitest";

import { createRequestBody } from "../../core/body/request-body.ts";
import { explainTrace } from "../../core/explain-trace.ts";
import { Trace, TraceRing } from "../../core/trace.ts";

function traceOf(body: string | undefined): Trace {
  const trace = new Trace(0, () => 0);
  if (body !== undefined) trace.received = createRequestBody(Buffer.from(body));
  return trace;
}

test("each change is told against what the hooks before it made of the request", () => {
  const trace = traceOf('{"messages":["a"],"n":1}');
  trace.add("hooks", "changed", { file: "x.ts", patch: { o: { messages: { a: [{ v: '"new"' }, [0, 0]] } } } });
  trace.add("hooks", "unchanged", { file: "y.ts" });
  trace.add("hooks", "changed", { file: "z.ts", patch: { o: { messages: { e: { 1: { v: '"b"' } } } } } });
  const { recorded, steps } = explainTrace(trace);
  expect(recorded).toBe(true);
  expect(steps).toMatchObject([
    { detail: { file: "x.ts" }, changes: [{ path: "messages[0]", before: "", after: '"new"' }] },
    { detail: { file: "y.ts" } },
    { detail: { file: "z.ts" }, changes: [{ path: "messages[1]", before: '"a"', after: '"b"' }] },
  ]);
  expect(steps[0]?.detail).not.toHaveProperty("patch");
});

test("without the request there are no changes, and never a patch", () => {
  const trace = traceOf(undefined);
  trace.add("hooks", "changed", { changed: ["n"], patch: { o: { n: { v: "2" } } } });
  const { recorded, steps } = explainTrace(trace);
  expect(recorded).toBe(false);
  expect(steps).toEqual([{ stage: "hooks", what: "changed", detail: { changed: ["n"] }, us: 0 }]);
});

test("a patch that does not fit is left out", () => {
  const trace = traceOf('{"n":1}');
  trace.add("hooks", "changed", { patch: { o: { n: { e: { 5: { v: "1" } } } } } });
  trace.add("hooks", "changed", { patch: { o: { n: { v: "2" } } } });
  expect(explainTrace(trace).steps.map(({ changes }) => changes)).toEqual([undefined, [{ path: "n", before: "1", after: "2" }]]);
});

test("the ring forgets the oldest trace, knows the last main one, and keeps 64 MB of requests at most", () => {
  const ring = new TraceRing(3);
  const big = `{"x":"${"y".repeat(30 * 1024 * 1024)}"}`;
  const traces = ["a", "b", "c", "d"].map((id) => ({ id, trace: traceOf(big) }));
  for (const { id, trace } of traces) ring.keep(id, trace, id !== "d");
  expect(ring.last).toBe("c");
  expect(ring.get("a")).toBeUndefined();
  expect(["b", "c", "d"].map((id) => ring.get(id)?.received !== undefined)).toEqual([false, true, true]);
});
