import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "errNamePollute",
  where: "preCall",
  body: String.raw`Object.defineProperty(Error.prototype,"name",{get(){for(;;);}});throw new Error("q")`,
  expected: [{ error: /Cannot redefine property: name/ }],
};
export default attack;
