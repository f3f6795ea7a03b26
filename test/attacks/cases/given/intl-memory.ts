import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "intlMemory",
  where: "preCall",
  body: String.raw`const k=[];for(let i=0;;i++)k.push(new Intl.DateTimeFormat(["ar","ja","de","th","fa"][i%5],{dateStyle:"full",timeStyle:"full",calendar:["islamic","japanese","buddhist","persian","hebrew"][i%5]}))`,
  expected: ["timeout", "kill"],
  why: "Objects of ICU are no part of the heap that is limited: time or the limit of the process ends it.",
};
export default attack;
