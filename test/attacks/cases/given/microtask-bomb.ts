import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "microtaskBomb",
  where: "preCall",
  body: String.raw`(async()=>{for(;;) await 0})();return 1`,
  expected: ["timeout"],
};
export default attack;
