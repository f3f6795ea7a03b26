import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "patterns with sets nested a thousand deep",
  where: "preCall",
  body: String.raw`let set = "a"; for (let i = 0; i < 3000; i++) set = "[" + set + "--[b]]";
try { return new RegExp(set, "v").test("a"); } catch (error) { return error.name; }`,
  sliceMs: 500,
  expected: [{ value: "SyntaxError" }, { value: true }, { value: "RangeError" }, "timeout"],
  why: "V8 may refuse it for its size, or take it.",
};
export default attack;
