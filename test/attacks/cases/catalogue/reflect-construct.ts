import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Reflect.construct(Function)",
  where: "preCall",
  body: String.raw`return Reflect.construct(Function, ["return typeof process"], class {})();`,
  expected: [{ value: "undefined" }],
};
export default attack;
