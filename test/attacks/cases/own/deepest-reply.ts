import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a reply as deep as the sandbox lets out",
  where: "preCall",
  body: String.raw`let low = 1;
let high = 200_000;
const nest = (depth) => { let deep = { type: "text", text: "x" }; for (let i = 0; i < depth; i++) deep = { type: "text", text: "x", deep }; return deep; };
while (low < high) { const depth = Math.ceil((low + high) / 2); try { JSON.stringify(nest(depth)); low = depth; } catch { high = depth - 1; } }
return respond({ content: [nest(low - 100)] });`,
  isRaw: true,
  sliceMs: 5000,
  expected: [{ harmless: true }, { error: /./ }, "timeout"],
  why: "The proxy may refuse what is too deep for it; so deep a value may take its time.",
};
export default attack;
