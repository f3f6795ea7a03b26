import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arguments.callee.caller",
  where: "rule",
  body: String.raw`return Function("f", "function g() { const c = g.caller; return String(c === null ? c : typeof c); } return f(g)")((g) => { try { return g(); } catch (error) { return error.name; } });`,
  isDirect: true,
  expected: [{ value: "null" }, { value: "TypeError" }, { error: /no access/ }],
  why: "Whether a caller that is strict or of another context is shown as null or refused is up to the engine; either tells nothing.",
};
export default attack;
