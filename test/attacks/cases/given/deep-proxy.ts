import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "deepProxy",
  where: "preCall",
  body: String.raw`let p={};for(let i=0;i<1e6;i++)p=new Proxy(p,{});return p.x`,
  expected: ["timeout"],
};
export default attack;
