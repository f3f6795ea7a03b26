import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "finalizationLoop",
  where: "preCall",
  body: String.raw`globalThis.fr=new FinalizationRegistry(()=>{for(;;);});for(let i=0;i<1000;i++)fr.register({i},1);let s=[];for(let i=0;i<2e6;i++){s=[i,s.length]};return 1`,
  expected: [{ error: /FinalizationRegistry is not defined/ }],
};
export default attack;
