import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "memory used up in the isolate that rules share",
  where: "rule",
  body: String.raw`const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));`,
  isDirect: true,
  sliceMs: 10000,
  expected: ["memory"],
};
export default attack;
