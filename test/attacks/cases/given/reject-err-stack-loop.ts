import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "rejectErrStackLoop",
  where: "preCall",
  body: String.raw`Error.prepareStackTrace=()=>{for(;;);};Promise.reject(new Error("x"));return 1`,
  expected: [{ value: 1 }],
};
export default attack;
