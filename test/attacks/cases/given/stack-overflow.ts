import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stackOverflow",
  where: "preCall",
  body: String.raw`function f(){return f()+1};return f()`,
  expected: [{ error: /Maximum call stack size exceeded/ }],
};
export default attack;
