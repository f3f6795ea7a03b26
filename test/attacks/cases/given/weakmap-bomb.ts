import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "weakmapBomb",
  where: "rule",
  body: String.raw`const w=new WeakMap,k=[];for(;;){const o={};k.push(o);w.set(o,o)}`,
  sliceMs: 600,
  expected: ["memory", "kill", "timeout"],
  why: "V8 ends the process where a table cannot grow, and the isolate where an object finds no place; on a slow machine time is up before.",
};
export default attack;
