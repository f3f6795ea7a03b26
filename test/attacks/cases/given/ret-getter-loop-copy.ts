import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retGetterLoopCopy",
  where: "preCall",
  body: String.raw`return {get a(){for(;;);}}`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
