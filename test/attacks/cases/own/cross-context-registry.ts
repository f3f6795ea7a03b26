import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "something passed to another rule by the shared registry of symbols",
  where: "rule",
  body: String.raw`const symbol = Symbol.for("ccproxy.definition");
const tries = [() => { Symbol.prototype.shared = 1; }, () => { symbol.description = 1; }, () => { Symbol.shared = 1; }, () => { Object.prototype[symbol] = "rule"; }];
for (const act of tries) try { act(); return "done"; } catch {}
globalThis.shared = "left by another";
return Symbol.keyFor(Symbol.for("left"));`,
  isDirect: true,
  neighbours: [
    `defineRule((request, params, context) => { context.annotate("saw", typeof globalThis.shared); return false; })`,
    `defineRule((request, params, context) => { context.annotate("saw", typeof globalThis.shared); return false; })`,
  ],
  check: (seen) => seen.neighbours.length >= 2 && seen.neighbours.every(({ writes }) => writes?.annotations?.["saw"] === "undefined"),
  expected: [{ value: "left" }],
};
export default attack;
