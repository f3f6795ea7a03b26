import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "deepStringify",
  where: "preCall",
  body: String.raw`let x=[];for(let i=0;i<1e6;i++)x=[x];return JSON.stringify(x).length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
