import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "regexBomb2",
  where: "preCall",
  body: String.raw`return /(x+x+)+y/.test("x".repeat(5000))`,
  expected: ["timeout"],
};
export default attack;
