import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stringKeepFlat",
  where: "rule",
  body: String.raw`const k=[];for(let i=0;;i++){const s="ab".repeat(5e5)+i;s.charCodeAt(7);JSON.stringify(s);k.push(s.split("").join("-"))}`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
