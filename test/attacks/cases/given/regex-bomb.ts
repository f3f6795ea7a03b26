import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "regexBomb",
  where: "preCall",
  body: String.raw`return /^(a+)+$/.test("a".repeat(40)+"b")`,
  expected: ["timeout"],
};
export default attack;
