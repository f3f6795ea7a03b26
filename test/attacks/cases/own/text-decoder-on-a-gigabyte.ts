import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "TextDecoder on 1e9 bytes",
  where: "preCall",
  body: String.raw`return new TextDecoder().decode(new Uint8Array(1e9)).length;`,
  expected: [{ error: /allocation/ }, "timeout", "memory"],
  why: "So large a list may be refused, or be there without being touched.",
};
export default attack;
