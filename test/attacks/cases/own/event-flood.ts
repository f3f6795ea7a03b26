import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a million events for one",
  where: "onEvent",
  body: String.raw`const list = []; for (let i = 0; i < 2e4; i++) list.push({ type: "ping", text: "x".repeat(20) }); return list;`,
  sliceMs: 3000,
  isRaw: true,
  expected: ["timeout", "kill", { error: /more than/ }],
  why: "Making them may take longer than the slice.",
};
export default attack;
