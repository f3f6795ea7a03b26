import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "typedSort",
  where: "preCall",
  body: String.raw`const u=new Float64Array(6e6);for(let i=0;i<u.length;i++)u[i]=Math.sin(i);for(;;){u.sort();u[0]=Math.random()}`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
