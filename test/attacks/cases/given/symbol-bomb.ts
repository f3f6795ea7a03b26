import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "symbolBomb",
  where: "rule",
  body: String.raw`for(let i=0;;i++)Symbol.for("s"+i)`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
