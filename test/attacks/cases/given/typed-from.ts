import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "typedFrom",
  where: "rule",
  body: String.raw`return Uint8Array.from({length:2**31}).length`,
  sliceMs: 10000,
  expected: [{ error: /Array buffer allocation failed/ }],
};
export default attack;
