import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrayFill27",
  where: "preCall",
  body: String.raw`const x=new Array(2**27).fill(1.5);return x.length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
