import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "mapBomb",
  where: "rule",
  body: String.raw`const s=new Map;for(let i=0;;i++)s.set("k"+i,[i])`,
  sliceMs: 600,
  expected: ["memory", "kill", "timeout"],
  why: "V8 ends the process where a table cannot grow, and the isolate where an object finds no place; on a slow machine time is up before.",
};
export default attack;
