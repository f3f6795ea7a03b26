import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "flattenDeep",
  where: "preCall",
  body: String.raw`let x=[1];for(let i=0;i<1e5;i++)x=[x];return x.flat(Infinity).length`,
  expected: ["timeout", "kill", { error: /call stack/ }],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
