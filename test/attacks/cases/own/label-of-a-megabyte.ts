import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a label of a million characters",
  where: "rule",
  body: String.raw`return "x".repeat(1e6);`,
  isRaw: true,
  isDirect: true,
  expected: [{ error: /label has at most|at most/ }],
};
export default attack;
