import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "prepareStackTraceLoop",
  where: "preCall",
  body: String.raw`Error.prepareStackTrace=()=>{for(;;);};throw new Error("x")`,
  expected: [{ error: /Error: x/ }],
};
export default attack;
