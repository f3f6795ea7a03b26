import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "symbolBomb",
  where: "rule",
  body: String.raw`for(let i=0;;i++)Symbol.for("s"+i)`,
  sliceMs: 600,
  expected: ["memory", "kill", "timeout"],
  why: "V8 ends the process where a table cannot grow, and the isolate where an object finds no place; on a slow machine time is up before.",
};
export default attack;
