import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "throwProxy",
  where: "preCall",
  body: String.raw`throw new Proxy({}, {get(){for(;;);},getPrototypeOf(){for(;;);},getOwnPropertyDescriptor(){for(;;);},ownKeys(){for(;;);}})`,
  expected: ["timeout"],
};
export default attack;
