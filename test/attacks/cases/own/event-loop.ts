import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an event handler that never ends",
  where: "onEvent",
  body: String.raw`for (;;);`,
  expected: ["timeout"],
};
export default attack;
