import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "promiseMemBomb",
  where: "rule",
  body: String.raw`function f(){Promise.resolve().then(f);Promise.resolve().then(f)};f();return 1`,
  sliceMs: 600,
  expected: ["memory", "kill", "timeout"],
  why: "V8 ends the process where a table cannot grow, and the isolate where an object finds no place; on a slow machine time is up before.",
};
export default attack;
