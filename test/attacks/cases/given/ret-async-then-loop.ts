import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retAsyncThenLoop",
  where: "preCall",
  body: String.raw`return {then(r){for(;;);}}`,
  expected: ["timeout"],
};
export default attack;
