import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a bigint printed",
  where: "preCall",
  body: String.raw`return String(2n ** (2n ** 24n)).length;`,
  expected: ["timeout", "kill"],
  why: "V8 looks for the end of the slice between loops; how much it does in one go depends on its version.",
};
export default attack;
