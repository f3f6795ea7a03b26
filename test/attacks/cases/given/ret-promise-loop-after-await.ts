import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retPromiseLoopAfterAwait",
  where: "preCall",
  body: String.raw`return (async()=>{await 0;for(;;);})()`,
  expected: ["timeout"],
};
export default attack;
