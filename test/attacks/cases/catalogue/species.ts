import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Symbol.species of promises, arrays and buffers",
  where: "preCall",
  body: String.raw`const tries = [() => Object.defineProperty(Promise, Symbol.species, { value: function () { for (;;); } }), () => Object.defineProperty(Array, Symbol.species, { value: function () { for (;;); } }), () => { Array.prototype.constructor = 1; }, () => Object.defineProperty(ArrayBuffer, Symbol.species, { value: 1 })];
class Mine extends Promise { static get [Symbol.species]() { for (;;); } }
const tried = tries.map((act) => { try { act(); return "done"; } catch (error) { return error.name; } }).join();
if (tried !== "TypeError,TypeError,TypeError,TypeError") return tried;
return new Mine((resolve) => resolve(1));`,
  expected: ["timeout"],
};
export default attack;
