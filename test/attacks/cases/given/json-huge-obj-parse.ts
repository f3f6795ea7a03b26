import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "jsonHugeObjParse",
  where: "preCall",
  body: String.raw`return JSON.parse("["+"{\"a\":[1]},".repeat(5e6)+"1]").length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
