import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "built-in methods on the request, the context and stores",
  where: "preCall",
  body: String.raw`const results = new Set();
for (const target of [request, context, context.state, context.headers, context.facts, request.messages, log])
  for (const act of [() => Object.setPrototypeOf(target, null), () => Object.defineProperty(target, "then", { get() { for (;;); } }), () => target.__defineGetter__("x", () => { for (;;); }), () => Object.seal(target)])
    try { act(); results.add("done"); } catch (error) { results.add(error.name); }
return [...results].sort().join();`,
  expected: [{ error: /./ }, { harmless: true }],
  why: "Which members of these are frozen is free to change; what counts is that nothing hangs or breaks.",
};
export default attack;
