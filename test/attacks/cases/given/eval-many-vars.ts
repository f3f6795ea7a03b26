import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "evalManyVars",
  where: "preCall",
  body: String.raw`let s="";for(let i=0;i<2e6;i++)s+="let v"+i+"="+i+";";return eval(s)`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
