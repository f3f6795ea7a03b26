import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retReference",
  where: "preCall",
  body: String.raw`return {f(){}}`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
