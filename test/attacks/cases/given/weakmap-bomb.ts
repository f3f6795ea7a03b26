import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "weakmapBomb",
  where: "rule",
  body: String.raw`const w=new WeakMap,k=[];for(;;){const o={};k.push(o);w.set(o,o)}`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
