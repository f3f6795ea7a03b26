import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "mapBomb",
  where: "rule",
  body: String.raw`const s=new Map;for(let i=0;;i++)s.set("k"+i,[i])`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
