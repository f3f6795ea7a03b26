import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "microtaskBombNoReturn",
  where: "preCall",
  body: String.raw`(async()=>{for(;;) await 0})();`,
  expected: ["timeout"],
};
export default attack;
