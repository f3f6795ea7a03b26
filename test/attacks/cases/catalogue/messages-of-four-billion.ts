import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "messages of 2**32 - 2 elements",
  where: "preCall",
  body: String.raw`request.messages.length = 2 ** 32 - 2;`,
  expected: ["timeout", "kill", { error: /empty place/ }],
  why: "V8 looks for the end of the slice between loops; how much it does in one go depends on its version.",
};
export default attack;
