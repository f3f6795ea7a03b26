import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "rejectGetter",
  where: "preCall",
  body: String.raw`Promise.reject({get message(){for(;;);},get stack(){for(;;);},get name(){for(;;);}});return 1`,
  expected: ["kill", "timeout"],
  why: "V8 reads the stack of what was rejected where no slice is counted; the watchdog counts.",
};
export default attack;
