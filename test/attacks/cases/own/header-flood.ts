import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a million headers",
  where: "preCall",
  body: String.raw`let count = 0; try { for (let i = 0; i < 1e6; i++) { context.headers.set("x-" + i, "v"); count++; } } catch (error) { if (error.name !== "SandboxError") throw error; } return count;`,
  expected: [{ value: 64 }],
};
export default attack;
