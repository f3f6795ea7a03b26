import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "loop",
  where: "preCall",
  body: String.raw`for(;;);`,
  expected: ["timeout"],
};
export default attack;
