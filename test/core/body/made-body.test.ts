import { expect, it } from "vitest";

import { createMadeBody } from "../../../core/body/made-body.ts";
import { createRequestBody } from "../../../core/body/request-body.ts";

const value = { model: "a", messages: [{ role: "user" }, 2], stream: true };

it("says what a body says that was received", () => {
  const [made, scanned] = [createMadeBody(value), createRequestBody(Buffer.from(JSON.stringify(value)))];
  expect(made.bytes).toEqual(scanned.bytes);
  expect(made.json()).toBe(value);
  const span = made.field("messages");
  if (span === undefined) throw new Error("there are messages");
  expect(span).toEqual(scanned.field("messages"));
  expect(made.elements(span)).toEqual(scanned.elements(span));
  const [first] = made.elements(span);
  if (first === undefined) throw new Error("there is a message");
  expect(made.members(first)).toEqual(scanned.members(first));
  expect(Buffer.from(made.slice(first)).toString()).toBe('{"role":"user"}');
  expect(made.read(first)).toEqual({ role: "user" });
  expect(made.value("stream")).toBe(true);
  for (const absent of ["system", "toString", "__proto__"]) expect(made.value(absent)).toBeUndefined();
  const changed = made.edit([{ field: "model", value: "b" }]);
  expect(Buffer.from(changed.bytes).toString()).toBe('{"model":"b","messages":[{"role":"user"},2],"stream":true}');
});

it("is written down once, and only where somebody wants its bytes", () => {
  let written = 0;
  const counted = {
    model: "m",
    get messages(): [] {
      written += 1;
      return [];
    },
  };
  const made = createMadeBody(counted);
  expect(made.value("model")).toBe("m");
  expect(written).toBe(0);
  expect(made.bytes).toBe(made.bytes);
  made.field("messages");
  expect(written).toBe(1);
});
