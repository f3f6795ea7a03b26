import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "hostAsyncFlood",
  where: "preCall",
  body: String.raw`const p=[];for(;;)p.push(hostAsync())`,
  expected: ["timeout"],
};
export default attack;
