import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "100 MB returned",
  where: "postCall",
  body: String.raw`request.content = [{ type: "text", text: "x".repeat(1e8) }];`,
  sliceMs: 1000,
  expected: [{ error: /at most/ }, "timeout", "memory", "kill"],
  why: "Writing it as JSON may take longer than the slice.",
};
export default attack;
