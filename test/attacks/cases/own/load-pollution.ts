import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "intrinsics changed while the file is loaded",
  where: "load",
  body: String.raw`for (const act of [() => { Object.prototype.polluted = 1; }, () => { Promise.prototype.then = 1; }, () => { globalThis.JSON = 1; }, () => { globalThis.Symbol = 1; }, () => { Symbol.for = () => Symbol(); }]) try { act(); throw 1; } catch (error) { if (error === 1) throw new Error("changed"); }`,
  expected: [{ harmless: true }],
};
export default attack;
