import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stringDouble",
  where: "rule",
  body: String.raw`let s="x";const k=[];for(;;){s+=s;if(s.length>1e8){k.push(s.charAt(5));s="y"+k.length};k.push(s+"z")}`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
