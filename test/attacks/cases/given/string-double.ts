import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stringDouble",
  where: "rule",
  body: String.raw`let s="x";const k=[];for(;;){s+=s;if(s.length>1e8){k.push(s.charAt(5));s="y"+k.length};k.push(s+"z")}`,
  sliceMs: 600,
  expected: ["memory", "kill", "timeout"],
  why: "V8 ends the process where a table cannot grow, and the isolate where an object finds no place; on a slow machine time is up before.",
};
export default attack;
