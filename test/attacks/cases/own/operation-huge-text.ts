import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an operation of 50 MB",
  where: "preCall",
  body: String.raw`return context.fetch("https://example.com/", { body: "x".repeat(5e7), method: "POST" }).then(() => "sent");`,
  sliceMs: 3000,
  expected: [{ error: /at most|characters/ }, "timeout", "memory"],
  why: "Putting it together may take longer than the slice.",
};
export default attack;
