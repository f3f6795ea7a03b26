import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "keys without end",
  where: "preCall",
  body: String.raw`let count = 0;
try { for (;;) { context.state.set("k" + count, 1); count++; } } catch (error) { if (error.name !== "SandboxError") throw error; }
for (let i = 0; i < 1e4; i++) { context.locals.set("n" + i, 1); context.locals.delete("n" + i); }
return count > 1000;`,
  sliceMs: 20000,
  expected: [{ value: true }, { error: /writes.locals|at most/ }],
  why: "Deleted keys are named on their way to the proxy, which takes so many and no more.",
};
export default attack;
