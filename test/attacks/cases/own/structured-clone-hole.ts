import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "structuredClone of a sparse list of 4 billion",
  where: "preCall",
  body: String.raw`const list = []; list.length = 2 ** 32 - 1; return structuredClone(list).length;`,
  expected: [{ harmless: true }, "timeout", { error: /./ }],
  why: "The copy is cut or takes its time; no memory is taken for it.",
};
export default attack;
