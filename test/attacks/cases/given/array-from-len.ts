import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrayFromLen",
  where: "preCall",
  body: String.raw`return Array.from({length:1e9}).length`,
  expected: ["kill"],
};
export default attack;
