import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "thenRecursion",
  where: "preCall",
  body: String.raw`function f(){return Promise.resolve().then(f)};f();return 1`,
  expected: ["timeout"],
};
export default attack;
