import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an event handler stuck in native code",
  where: "onEvent",
  body: String.raw`const x = []; x.length = 2 ** 32 - 1; x.reverse();`,
  expected: ["kill"],
};
export default attack;
