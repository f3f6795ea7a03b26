import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a rejection left for another rule to answer for",
  where: "rule",
  body: String.raw`Promise.reject({ get stack() { for (;;); }, message: "left behind" }); return 1;`,
  isDirect: true,
  expected: ["timeout", "kill", { value: 1 }],
  why: "What V8 does with a rejection nobody handles differs with its version.",
};
export default attack;
