import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "eval and new Function",
  where: "preCall",
  body: String.raw`return [eval("typeof process"), (0, eval)("typeof require"), new Function("return typeof module")(), eval("this") === undefined].join();`,
  expected: [{ value: "undefined,undefined,undefined,true" }],
};
export default attack;
