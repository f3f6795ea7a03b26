import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "retDeepCopy",
  where: "preCall",
  body: String.raw`let x=[];for(let i=0;i<1e6;i++)x=[x];return x`,
  expected: ["timeout"],
};
export default attack;
