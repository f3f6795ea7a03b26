import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "constructors of all kinds of functions",
  where: "preCall",
  body: String.raw`const found = [(() => {}).constructor, (async () => {}).constructor, (function* () {}).constructor, (async function* () {}).constructor].map((make) => {
  const made = make("return typeof process + typeof require + typeof globalThis.module");
  const value = made();
  return typeof value === "string" ? value : "later";
});
return found.join();`,
  expected: [{ value: "undefinedundefinedundefined,later,later,later" }],
};
export default attack;
