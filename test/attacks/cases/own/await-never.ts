import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an operation asked for, and something else awaited for ever",
  where: "preCall",
  body: String.raw`void context.kv.get("asked"); return new Promise(() => {});`,
  timeoutMs: 500,
  expected: ["timeout", { error: /settle/ }],
  why: "Once the operation is answered nothing is left that could settle it.",
};
export default attack;
