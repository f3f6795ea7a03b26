import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "sortLie",
  where: "preCall",
  body: String.raw`const x=Array.from({length:1e6},(_, i)=>i);for(;;)x.sort(()=>Math.random()-.5)`,
  expected: ["timeout"],
};
export default attack;
