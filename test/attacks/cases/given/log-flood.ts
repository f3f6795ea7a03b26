import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "logFlood",
  where: "preCall",
  body: String.raw`for(;;)log("x".repeat(10000))`,
  expected: ["timeout"],
};
export default attack;
