import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a resource that is never let go",
  where: "preCall",
  body: String.raw`try { return eval("(() => { using held = { [Symbol.dispose]() { for (;;); } }; return 1; })()"); } catch (error) { if (error instanceof SyntaxError) for (;;); throw error; }`,
  expected: ["timeout"],
};
export default attack;
