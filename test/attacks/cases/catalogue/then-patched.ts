import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Promise.prototype.then patched",
  where: "preCall",
  body: String.raw`const tries = [() => { Promise.prototype.then = () => { for (;;); }; }, () => Object.defineProperty(Promise.prototype, "then", { value: () => { for (;;); } }), () => { Promise.resolve = () => { for (;;); }; }, () => Object.setPrototypeOf(Promise.prototype, {}), () => { globalThis.Promise = class {}; }, () => delete Promise.prototype.then];
return tries.map((act) => { try { act(); return "done"; } catch (error) { return error.name; } }).join();`,
  expected: [{ value: "TypeError,TypeError,TypeError,TypeError,TypeError,TypeError" }],
};
export default attack;
