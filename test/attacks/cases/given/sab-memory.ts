import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "sabMemory",
  where: "preCall",
  body: String.raw`const k=[];for(let i=0;i<2000;i++){const u=new Uint8Array(new SharedArrayBuffer(1<<20));u.fill(1);k.push(u)};return k.length`,
  expected: [{ error: /SharedArrayBuffer is not defined/ }],
};
export default attack;
