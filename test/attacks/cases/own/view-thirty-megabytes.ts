import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a text of 30 MB put into the request",
  where: "preCall",
  body: String.raw`request.system = "x".repeat(30 * 2 ** 20);`,
  sliceMs: 3000,
  expected: [{ error: /at most/ }, "timeout"],
  why: "Writing it as JSON may take longer than the slice.",
};
export default attack;
