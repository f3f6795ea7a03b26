import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a message of 100 MB",
  where: "preCall",
  body: String.raw`throw new Error("x".repeat(1e8));`,
  sliceMs: 500,
  expected: [{ error: /x{1000}/ }, "timeout", "memory"],
  why: "V8 may copy the text for the stack, which takes its time; what comes out is cut.",
};
export default attack;
