import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a module of WebAssembly",
  where: "preCall",
  body: String.raw`return WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));`,
  expected: [{ error: /WebAssembly is not defined/ }],
};
export default attack;
