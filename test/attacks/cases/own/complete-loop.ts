import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a loop in onComplete, for which nobody waits",
  where: "onComplete",
  body: String.raw`for (;;);`,
  expected: ["timeout"],
};
export default attack;
