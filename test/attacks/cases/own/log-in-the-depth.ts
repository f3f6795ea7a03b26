import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the context used where the stack ends",
  where: "preCall",
  body: String.raw`let said = 0;
const dive = () => { try { dive(); } catch { try { context.log("deep"); context.state.set("a", 1); context.annotate("deep", 1); said++; } catch {} } };
dive();
return typeof said;`,
  sliceMs: 500,
  expected: [{ value: "number" }, "timeout", { error: /./ }],
  why: "How deep the stack is, and what still fits at its end, is up to the engine.",
};
export default attack;
