import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the realm behind errors that the runtime throws",
  where: "preCall",
  body: String.raw`const errors = [];
for (const act of [() => context.state.set(1), () => context.annotate("x", 1n), () => context.headers.set("a\n", ""), () => request.messages.length = -1, () => fetch("x"), () => new URL("x"), () => context.pseudonym(1), () => (function f() { f(); })(), () => JSON.parse("{"), () => new RegExp("("), () => eval("{{"), () => null.x])
  try { act(); errors.push("nothing thrown"); } catch (error) { errors.push(error instanceof Error && error.constructor.constructor("return globalThis")() === globalThis ? "own" : "foreign"); }
return errors.join();`,
  sliceMs: 2000,
  expected: [{ value: "own,own,own,own,own,own,own,own,own,own,own,own" }],
};
export default attack;
