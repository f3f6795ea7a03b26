import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "endless iterators and their helpers",
  where: "preCall",
  body: String.raw`return Iterator.from({ next() { return { done: false, value: 1 }; } }).map((one) => one).filter(() => true).flatMap(() => [1]).toArray().length;`,
  expected: ["timeout", "memory"],
  why: "Whichever is reached first.",
};
export default attack;
