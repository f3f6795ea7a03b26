import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an element at 2**32 - 2",
  where: "preCall",
  body: String.raw`request.messages[2 ** 32 - 2] = { role: "user", content: "x" };`,
  expected: ["timeout", "kill", { error: /empty place/ }],
  why: "V8 looks for the end of the slice between loops; how much it does in one go depends on its version.",
};
export default attack;
