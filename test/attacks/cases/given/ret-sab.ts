import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retSAB",
  where: "preCall",
  body: String.raw`return new SharedArrayBuffer(1024)`,
  expected: [{ error: /SharedArrayBuffer is not defined/ }],
};
export default attack;
