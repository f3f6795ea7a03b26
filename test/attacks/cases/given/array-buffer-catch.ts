import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrayBufferCatch",
  where: "rule",
  body: String.raw`const k=[];for(;;){try{const u=new Uint8Array(2<<20);u.fill(1);k.push(u)}catch(e){k.push(new Uint8Array(1000))}}`,
  sliceMs: 200,
  expected: ["timeout"],
};
export default attack;
