import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "promiseMemBomb",
  where: "rule",
  body: String.raw`function f(){Promise.resolve().then(f);Promise.resolve().then(f)};f();return 1`,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
