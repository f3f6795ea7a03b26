import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "500 MB of text put together",
  where: "rule",
  body: String.raw`const part = "x".repeat(1e6); return new Array(500).fill(part).join("-").length;`,
  sliceMs: 500,
  expected: ["timeout", "memory", "kill", { error: /string length|memory/ }, { value: 500000499 }],
  why: "One call of native code: it is refused, ends the isolate, or fits in what a process may have.",
};
export default attack;
