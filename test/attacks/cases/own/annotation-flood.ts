import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "annotations without end",
  where: "preCall",
  body: String.raw`let count = 0; try { for (;;) { context.annotate("k" + count, "x".repeat(100)); count++; } } catch (error) { if (error.name !== "SandboxError") throw error; } context.annotate("value", 1);`,
  expected: [{ value: 1 }, { error: /may take 4096/ }],
  why: "Whether one more small field fits is a matter of characters.",
};
export default attack;
