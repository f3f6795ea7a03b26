import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "JSON nested a million deep",
  where: "preCall",
  body: String.raw`return JSON.parse("[".repeat(1e6) + "]".repeat(1e6)).length;`,
  expected: ["timeout", "kill", { value: 1 }, { error: /stack/ }],
  why: "The parser needs no stack, and how long it takes is up to the machine.",
};
export default attack;
