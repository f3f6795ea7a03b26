import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retThenable",
  where: "preCall",
  body: String.raw`return {get then(){for(;;);}}`,
  expected: ["timeout"],
};
export default attack;
