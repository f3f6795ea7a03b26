import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Function.prototype.call and Reflect.apply replaced",
  where: "rule",
  body: String.raw`const tries = [() => { Function.prototype.call = () => { for (;;); }; }, () => Object.defineProperty(Function.prototype, "apply", { value: 1 }), () => { Reflect.apply = () => { for (;;); }; }, () => { Function.prototype.toString = () => "class"; }, () => { Map.prototype.get = () => { for (;;); }; }];
for (const act of tries) try { act(); return "done"; } catch {}
return "kept";`,
  expected: [{ value: "kept" }],
};
export default attack;
