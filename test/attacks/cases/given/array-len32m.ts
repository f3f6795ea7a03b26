import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrayLen32M",
  where: "preCall",
  body: String.raw`const x=new Array(32*1024*1024-1).fill(0);const y=x.concat(x,x,x,x,x,x,x);return y.length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
