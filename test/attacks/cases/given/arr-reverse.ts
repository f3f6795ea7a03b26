import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrReverse",
  where: "preCall",
  body: String.raw`const x=[];x.length=2**32-1;x.reverse();return 1`,
  expected: ["kill"],
};
export default attack;
