import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a loop left in the queue of microtasks, which runs when other rules have answered",
  where: "rule",
  body: String.raw`Promise.resolve().then(() => { for (;;); });
return 1;`,
  isDirect: true,
  expected: ["timeout"],
  why: "Rules run together: it loops after all have answered, and who it was is found when each runs alone.",
};
export default attack;
