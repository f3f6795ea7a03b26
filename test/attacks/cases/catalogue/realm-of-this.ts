import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "this.constructor.constructor",
  where: "preCall",
  body: String.raw`return (function () { return this === undefined ? "nothing" : typeof this.constructor.constructor("return process")(); })();`,
  expected: [{ value: "nothing" }],
};
export default attack;
