import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "lastIndexOfQuadratic",
  where: "preCall",
  body: String.raw`const n=4e6;return ("a".repeat(n)).lastIndexOf("a".repeat(n/2)+"b")`,
  expected: ["kill"],
};
export default attack;
