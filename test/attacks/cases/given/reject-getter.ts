import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "rejectGetter",
  where: "preCall",
  body: String.raw`Promise.reject({get message(){for(;;);},get stack(){for(;;);},get name(){for(;;);}});return 1`,
  expected: ["timeout"],
};
export default attack;
