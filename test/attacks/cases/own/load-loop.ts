import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a loop when the file is loaded",
  where: "load",
  body: String.raw`for (;;);`,
  expected: ["timeout"],
};
export default attack;
