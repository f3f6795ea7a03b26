import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retErrorObj",
  where: "preCall",
  body: String.raw`return new Error("x")`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
