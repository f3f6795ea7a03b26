import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "typedArrays",
  where: "rule",
  body: String.raw`const k=[];for(;;){const u=new Uint8Array(2<<20);u.fill(1);k.push(u)}`,
  sliceMs: 10000,
  expected: [{ error: /Array buffer allocation failed/ }],
};
export default attack;
