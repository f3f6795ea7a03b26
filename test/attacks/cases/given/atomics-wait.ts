import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "atomicsWait",
  where: "preCall",
  body: String.raw`Atomics.wait(new Int32Array(new SharedArrayBuffer(8)),0,0)`,
  expected: [{ error: /Atomics is not defined/ }],
};
export default attack;
