import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "resizableAB",
  where: "preCall",
  body: String.raw`const k=[];for(let i=0;i<8;i++){const ab=new ArrayBuffer(0,{maxByteLength:256<<20});ab.resize(256<<20);new Uint8Array(ab).fill(1);k.push(ab)};return k.length`,
  expected: [{ error: /resize is not a function/ }],
};
export default attack;
