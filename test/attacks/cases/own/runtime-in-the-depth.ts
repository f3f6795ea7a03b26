import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the end of the stack reached within the runtime",
  where: "rule",
  body: String.raw`const dive = (depth) => { try { return dive(depth + 1); } catch { return request.messages.map((message) => JSON.stringify(message)).length; } };
return dive(0);`,
  isDirect: true,
  sliceMs: 500,
  expected: [{ value: 3 }, "timeout", { error: /./ }],
  why: "How deep the stack is, and what still fits at its end, is up to the engine.",
};
export default attack;
