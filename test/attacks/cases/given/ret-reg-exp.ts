import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retRegExp",
  where: "preCall",
  body: String.raw`return /(a+)+$/`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
