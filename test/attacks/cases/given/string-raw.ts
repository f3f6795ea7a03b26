import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "stringRaw",
  where: "preCall",
  body: String.raw`const x={raw:{length:2**31}};return String.raw(x)`,
  expected: ["kill"],
};
export default attack;
