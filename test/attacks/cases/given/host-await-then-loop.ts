import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "hostAwaitThenLoop",
  where: "preCall",
  body: String.raw`return hostAsync().then(()=>{for(;;);})`,
  expected: ["timeout"],
};
export default attack;
