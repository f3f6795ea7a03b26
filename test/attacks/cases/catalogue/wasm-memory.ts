import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "memory of WebAssembly",
  where: "preCall",
  body: String.raw`return new WebAssembly.Memory({ initial: 16384 }).buffer.byteLength;`,
  expected: [{ error: /WebAssembly is not defined/ }],
};
export default attack;
