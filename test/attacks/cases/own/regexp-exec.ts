import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "RegExp.prototype.exec and Symbol.replace replaced",
  where: "preCall",
  body: String.raw`const tries = [() => { RegExp.prototype.exec = () => { for (;;); }; }, () => Object.defineProperty(RegExp.prototype, Symbol.replace, { value: () => { for (;;); } }), () => { String.prototype.slice = () => { for (;;); }; }, () => { Array.prototype[Symbol.iterator] = () => { for (;;); }; }, () => { Object.getPrototypeOf([].values()).next = () => { for (;;); }; }];
for (const act of tries) try { act(); return "done"; } catch {}
context.headers.set("x-mine", "1");
return "kept";`,
  expected: [{ value: "kept" }],
};
export default attack;
