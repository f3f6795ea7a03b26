import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retProtoPollution",
  where: "preCall",
  body: String.raw`return JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')`,
  expected: [{ error: /preCall returned an object/ }],
};
export default attack;
