import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retCyclic",
  where: "preCall",
  body: String.raw`const x={};x.x=x;return x`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
