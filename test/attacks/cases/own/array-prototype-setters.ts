import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "indices defined on Array.prototype and Object.prototype",
  where: "preCall",
  body: String.raw`const tries = [() => Object.defineProperty(Array.prototype, "0", { set() { for (;;); } }), () => Object.defineProperty(Object.prototype, "v", { get() { for (;;); } }), () => { Object.prototype.error = 1; }, () => Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged" })];
for (const act of tries) try { act(); return "done"; } catch {}
return "kept";`,
  expected: [{ value: "kept" }],
};
export default attack;
