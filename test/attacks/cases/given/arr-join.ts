import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrJoin",
  where: "preCall",
  body: String.raw`return new Array(2**32-1).join("")`,
  expected: [{ value: "" }, "timeout", "kill"],
  why: "V8 13 has a short way for lists without elements; others go through 4 billion places.",
};
export default attack;
