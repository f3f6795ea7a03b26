import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "deepBindInstanceof",
  where: "preCall",
  body: String.raw`let f=function(){};for(let i=0;i<1e6;i++)f=f.bind(null);return ({}) instanceof f`,
  expected: ["timeout"],
};
export default attack;
