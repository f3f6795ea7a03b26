import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a verdict that is a proxy",
  where: "rule",
  body: String.raw`return new Proxy(function () {}, { get(target, key) { return key === "then" ? undefined : () => { for (;;); }; }, apply() { for (;;); } });`,
  isRaw: true,
  isDirect: true,
  expected: [{ error: /a function/ }],
};
export default attack;
