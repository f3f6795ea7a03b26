import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "queueMicrotask without end",
  where: "preCall",
  body: String.raw`for (;;) queueMicrotask(() => {});`,
  sliceMs: 100,
  expected: ["timeout", "memory", "kill"],
  why: "The queue is V8's own memory, which it counts when it likes.",
};
export default attack;
