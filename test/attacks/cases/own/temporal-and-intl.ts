import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Temporal and Intl at their edges",
  where: "preCall",
  body: String.raw`const tries = [() => new Intl.NumberFormat("en", { minimumFractionDigits: 100 }).format(1e300).length, () => new Date(8.64e15).toLocaleString("ar-u-nu-arab-ca-islamic"), () => new Intl.DateTimeFormat("x".repeat(1e5)), () => Intl.getCanonicalLocales(new Array(1e5).fill("de")), () => new Intl.ListFormat("en").format(new Array(1e5).fill("x")).length, () => Temporal.Now.instant().toString().length];
for (const act of tries) try { act(); } catch (error) { if (!(error instanceof Error)) throw error; }
return "done";`,
  sliceMs: 200,
  expected: [{ value: "done" }, "timeout", "kill"],
  why: "ICU does its work in one go.",
};
export default attack;
