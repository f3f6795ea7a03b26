import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "null, symbols and bigints thrown",
  where: "preCall",
  body: String.raw`try { throw null; } catch (nothing) { if (nothing !== null) return 1; }
throw Symbol("x".repeat(1e6));`,
  expected: [{ error: /threw Symbol/ }],
};
export default attack;
