import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an event handler that returns a promise with a then of its own, which gives raw text",
  where: "onEvent",
  body: String.raw`const promise = Promise.resolve();
Object.defineProperty(promise, "then", { value: () => Promise.resolve(['{"type":"x"}\n\nevent: forged\ndata: {}']) });
return promise;`,
  check: (seen) => !JSON.stringify(seen.events).includes("forged"),
  isRaw: true,
  expected: [{ harmless: true }, { error: /./ }],
  why: "What such a then gives is a value like any other: no text of its own gets past the writing of JSON.",
};
export default attack;
