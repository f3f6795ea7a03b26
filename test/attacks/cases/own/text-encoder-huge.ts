import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "TextEncoder on 400 MB",
  where: "preCall",
  body: String.raw`return new TextEncoder().encode("x".repeat(4e8)).length;`,
  expected: [{ error: /allocation/ }, "timeout", "memory", "kill"],
  why: "So large a list may be refused, or be there without being touched.",
};
export default attack;
