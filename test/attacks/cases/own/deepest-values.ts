import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "values as deep as the sandbox lets out, by every way there is",
  where: "preCall",
  body: String.raw`const nest = (depth) => { let deep = 1; for (let i = 0; i < depth; i++) deep = [deep]; return deep; };
const deepest = (put) => { let low = 1; let high = 120_000; while (low < high) { const depth = Math.ceil((low + high) / 2); try { put(nest(depth)); low = depth; } catch { high = depth - 1; } } put(nest(low)); return low; };
const depths = [deepest((deep) => context.state.set("deep", deep)), deepest((deep) => context.locals.set("deep", deep)), deepest((deep) => context.annotate("deep", deep))];
void context.kv.set("deep", nest(Math.min(...depths) - 1)).catch(() => {});
return typeof depths[0];`,
  sliceMs: 5000,
  expected: [{ value: "number" }, { error: /./ }, "timeout"],
  why: "The proxy may refuse what is too deep for it; so deep a value may take its time.",
};
export default attack;
