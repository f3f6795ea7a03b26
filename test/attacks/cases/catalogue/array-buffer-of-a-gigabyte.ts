import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a buffer of 1 GB",
  where: "rule",
  body: String.raw`return new ArrayBuffer(2 ** 30).byteLength;`,
  expected: [{ error: /Array buffer allocation failed|allocation/ }],
};
export default attack;
