import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an endless chain of microtasks left by a rule among others",
  where: "rule",
  body: String.raw`(async () => { for (;;) await 0; })();
return 1;`,
  isDirect: true,
  expected: ["timeout"],
  why: "Rules run together: it loops after all have answered, and who it was is found when each runs alone.",
};
export default attack;
