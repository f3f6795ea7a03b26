import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "options of an operation that answer with something else each time",
  where: "preCall",
  body: String.raw`let count = 0;
const moody = { toString() { return ++count % 2 === 0 ? "a" : "b\r\nx: y"; } };
return context.fetch("https://example.com/", { method: "GET", headers: { "x-a": moody, get "x-b"() { return "1"; } }, body: { toJSON() { return { a: moody }; } } }).then(({ status }) => status);`,
  check: (seen) =>
    seen.operations.every((one) => one.op !== "fetch" || Object.values(one.headers).every((value) => typeof value === "string")),
  expected: [{ value: 200 }],
};
export default attack;
