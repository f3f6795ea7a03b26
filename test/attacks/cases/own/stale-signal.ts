import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "listeners and promises left behind, woken by the next call",
  where: "rule",
  body: String.raw`globalThis.left ??= [];
const before = left.length;
new Promise((resolve) => left.push(resolve)).then(() => { console.log("woken"); for (;;); });
if (before === 0) return "left";
left[0]();
return "woke";`,
  calls: 2,
  expected: ["timeout", { value: "left" }],
  why: "Its isolate may be made anew between the calls, and then nothing was left behind.",
};
export default attack;
