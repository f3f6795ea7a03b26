import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "hostRefFlood",
  where: "preCall",
  body: String.raw`const p=[];for(;;)p.push(href.apply(undefined,[],{result:{promise:true,copy:true}}))`,
  expected: ["timeout"],
};
export default attack;
