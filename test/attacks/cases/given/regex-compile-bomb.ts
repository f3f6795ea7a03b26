import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "regexCompileBomb",
  where: "preCall",
  body: String.raw`let s="a";for(let i=0;i<6;i++)s="(?:"+s+"){1,1000}";return new RegExp(s).test("b")`,
  expected: ["timeout", "kill", { value: false }],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
