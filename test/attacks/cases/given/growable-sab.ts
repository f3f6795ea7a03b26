import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "growableSAB",
  where: "preCall",
  body: String.raw`const k=[];for(let i=0;i<8;i++){const ab=new SharedArrayBuffer(0,{maxByteLength:256<<20});ab.grow(256<<20);new Uint8Array(ab).fill(1);k.push(ab)};return k.length`,
  expected: [{ error: /SharedArrayBuffer is not defined/ }],
};
export default attack;
