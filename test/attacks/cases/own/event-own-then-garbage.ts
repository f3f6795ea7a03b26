import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an event handler whose promise gives what no runtime would",
  where: "onEvent",
  body: String.raw`const promise = Promise.resolve();
Object.defineProperty(promise, "then", { value: () => ({ length: 3, toString: 1 }) });
return promise;`,
  isRaw: true,
  expected: [{ harmless: true }, { error: /./ }],
  why: "It is read as what the handler returned, or as nothing.",
};
export default attack;
