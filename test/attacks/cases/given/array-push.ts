import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrayPush",
  where: "rule",
  body: String.raw`const x=[];for(;;)x.push({a:1,b:[1,2,3]})`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
