import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "codegenBomb",
  where: "rule",
  body: String.raw`for(let i=0;;i++)new Function("a","return "+"a+".repeat(20000)+i)()`,
  sliceMs: 200,
  expected: ["timeout"],
};
export default attack;
