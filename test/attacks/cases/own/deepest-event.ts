import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an event as deep as the sandbox lets out",
  where: "onEvent",
  body: String.raw`let low = 1;
let high = 200_000;
const nest = (depth) => { let deep = 1; for (let i = 0; i < depth; i++) deep = [deep]; return deep; };
while (low < high) { const depth = Math.ceil((low + high) / 2); try { JSON.stringify(nest(depth)); low = depth; } catch { high = depth - 1; } }
context.state.set("deep", nest(Math.min(low - 100, 30_000)));
return { ...request, deep: nest(low - 100) };`,
  isRaw: true,
  sliceMs: 5000,
  expected: [{ harmless: true }, { error: /./ }, "timeout"],
  why: "The proxy may refuse what is too deep for it; so deep a value may take its time.",
};
export default attack;
