import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "native code without an end when the file is loaded",
  where: "load",
  body: String.raw`const x = []; x.length = 2 ** 32 - 1; x.reverse();`,
  expected: ["kill"],
};
export default attack;
