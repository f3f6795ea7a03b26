import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "throwErrorGetters",
  where: "preCall",
  body: String.raw`const e=new Error("x");Object.defineProperty(e,"stack",{get(){for(;;);}});Object.defineProperty(e,"message",{get(){for(;;);}});Object.defineProperty(e,"name",{get(){for(;;);}});throw e`,
  expected: ["timeout"],
};
export default attack;
