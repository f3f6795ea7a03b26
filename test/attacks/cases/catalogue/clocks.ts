import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "clocks that tell more than a millisecond",
  where: "preCall",
  body: String.raw`const steps = new Set();
for (let last = Date.now(), count = 0; count < 2000 && steps.size < 3; count++) { const now = Date.now(); if (now !== last) steps.add(now - last); last = now; }
return [...steps].every((step) => Number.isInteger(step)) && typeof performance + typeof SharedArrayBuffer + typeof Atomics + typeof Temporal;`,
  expected: [{ value: "undefinedundefinedundefinedundefined" }, { value: "undefinedundefinedundefinedobject" }],
  why: "Temporal comes with a later V8.",
};
export default attack;
